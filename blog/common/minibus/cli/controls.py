"""Control running subscribers: `pause`, `resume`, `step`, `rewind`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich.text import Text

from minibus.bus.client import BusClient
from minibus.cli.options import Refused, as_json, asks_the_bus, names_or_all
from minibus.cli.terminal import console, event_card, print_json, standing

MOST_SHOWN = 10  # events after a step


@click.command()
@names_or_all
@as_json
@asks_the_bus
def pause(bus: BusClient, names: tuple[str, ...], as_json: bool) -> None:
    """Pause subscribers where they are.

    Without a name, all of them.

    \b
    Examples:
      minibus pause query
      minibus pause
    """
    show(for_each(bus, names, bus.pause), as_json)


@click.command()
@names_or_all
@as_json
@asks_the_bus
def resume(bus: BusClient, names: tuple[str, ...], as_json: bool) -> None:
    """End the pause of subscribers.

    The bus delivers the rest of the log to them. Without a name, to all.

    \b
    Examples:
      minibus resume query
      minibus resume
    """
    show(for_each(bus, names, bus.resume), as_json)


@click.command()
@names_or_all
@click.option("--count", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many events each.")
@as_json
@asks_the_bus
def step(bus: BusClient, names: tuple[str, ...], count: int, as_json: bool) -> None:
    """Deliver the next events to paused subscribers.

    Without a name, to all that are paused.

    \b
    Examples:
      minibus step query
      minibus step query --count 10
      minibus step posts comments moderation
    """
    if not names:
        names = tuple(name for name, subscriber in bus.subscribers().items() if subscriber["paused"])
        if not names:
            raise Refused("No subscriber is paused. First: minibus pause")
    steps = {name: bus.step(name, count) for name in names}
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
        line = standing(name, bus.subscriber(name))
        console.print(line if taken["delivered"] else line.append(", the end of the log", "dim"))


@click.command()
@names_or_all
@click.option("--to", type=click.IntRange(0), default=0, show_default=True, help="The last event of the replay.")
@as_json
@asks_the_bus
def rewind(bus: BusClient, names: tuple[str, ...], to: int, as_json: bool) -> None:
    """Empty the state of subscribers, and replay the log to them.

    Without a name, to all of them. A paused subscriber stops after event --to; any other goes to the end of the log.

    \b
    Examples:
      minibus rewind query
      minibus rewind query --to 7
    """
    show(for_each(bus, names, lambda name: bus.rewind(name, to)), as_json)


def for_each(bus: BusClient, names: tuple[str, ...], control: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Control these subscribers, or all; return the state and position of each."""
    return {name: control(name) for name in names or bus.subscribers()}


def show(subscribers: dict[str, Any], as_json: bool) -> None:
    """Print the state and position of subscribers."""
    if as_json:
        print_json(subscribers)
        return
    for name, subscriber in subscribers.items():
        console.print(standing(name, subscriber))
