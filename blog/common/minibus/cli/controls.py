"""Hold who listens, let it take steps, send it back: `pause`, `resume`, `step`, `rewind`."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from minibus.cli.bus import Bus, Refused, as_json, asks_the_bus, names_or_all, of
from minibus.cli.terminal import console, event_card, print_json, standing

MOST_SHOWN = 10  # events after a step


@click.command()
@names_or_all
@as_json
@asks_the_bus
def pause(bus: Bus, names: tuple[str, ...], as_json: bool) -> None:
    """Hold subscribers where they are.

    All of them, if none is named.

    \b
    Examples:
      minibus pause query
      minibus pause
    """
    tell(hold(bus, names, paused=True), as_json)


@click.command()
@names_or_all
@as_json
@asks_the_bus
def resume(bus: Bus, names: tuple[str, ...], as_json: bool) -> None:
    """Let subscribers go on to the end of the log.

    All of them, if none is named.

    \b
    Examples:
      minibus resume query
      minibus resume
    """
    tell(hold(bus, names, paused=False), as_json)


@click.command()
@names_or_all
@click.option("--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many events each.")
@as_json
@asks_the_bus
def step(bus: Bus, names: tuple[str, ...], count: int, as_json: bool) -> None:
    """Deliver the next events to paused subscribers.

    To all of them, if none is named.

    \b
    Examples:
      minibus step query
      minibus step query --count 10
      minibus step posts comments moderation
    """
    if not names:
        names = tuple(name for name, one in bus.ask("GET", "/subscribers").items() if one["paused"])
        if not names:
            raise Refused("Nobody is paused. First: minibus pause")
    steps = {name: bus.ask("POST", of(name, "/step"), {"count": count}) for name in names}
    if as_json:
        print_json(steps)
        return
    delivered = {
        seq
        for taken in steps.values()
        for seq in range(taken["position"] - taken["delivered"] + 1, taken["position"] + 1)
    }
    for seq in sorted(delivered)[:MOST_SHOWN]:
        console.print(event_card(bus.ask("GET", f"/events/{seq}")))
    if len(delivered) > MOST_SHOWN:
        console.print(Text(f"… and {len(delivered) - MOST_SHOWN} more", "dim"))
    for name, taken in steps.items():
        line = standing(name, bus.ask("GET", of(name)))
        console.print(line if taken["delivered"] else line.append(", the end of the log", "dim"))


@click.command()
@names_or_all
@click.option("--to", type=click.IntRange(0), default=0, show_default=True, help="Where to stop the replay.")
@as_json
@asks_the_bus
def rewind(bus: Bus, names: tuple[str, ...], to: int, as_json: bool) -> None:
    """Let subscribers forget everything, and replay them.

    All of them, if none is named. Paused ones stay at the event of --to; others go on to the end of the log.

    \b
    Examples:
      minibus rewind query
      minibus rewind query --to 7
    """
    tell({name: bus.ask("POST", of(name, "/rewind"), {"to": to}) for name in names or everybody(bus)}, as_json)


def hold(bus: Bus, names: tuple[str, ...], paused: bool) -> dict[str, Any]:
    """Pause subscribers or let them go on; return how each stands."""
    return {name: bus.ask("PATCH", of(name), {"paused": paused}) for name in names or everybody(bus)}


def everybody(bus: Bus) -> list[str]:
    """Return the names of all who listen."""
    return list(bus.ask("GET", "/subscribers"))


def tell(standings: dict[str, Any], as_json: bool) -> None:
    """Print how subscribers stand."""
    if as_json:
        print_json(standings)
        return
    for name, one in standings.items():
        console.print(standing(name, one))
