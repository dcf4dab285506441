"""Look back, without touching what runs: `state`, `diff`."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from minibus.cli.bus import Bus, as_json, asks_the_bus, of, one_name
from minibus.cli.terminal import clean, code, console, differences, pretty, print_json

SKIP = "Leave out these events, such as 7,9*; the star also leaves out what the event caused."


@click.command()
@one_name
@click.option("--at", type=click.IntRange(0), help="After this event; now, if it is not given.")
@click.option("--skip", help=SKIP)
@as_json
@asks_the_bus
def state(bus: Bus, name: str, at: int | None, skip: str | None, as_json: bool) -> None:
    """Show what a service holds, or held after any event.

    \b
    Examples:
      minibus state query
      minibus state query --at 7
      minibus state query --at 7 --skip '5*'
    """
    moment = bus.ask("GET", of(name, "/state"), at=at, skip=skip)
    if as_json:
        print_json(moment)
        return
    console.print(Text(f"{clean(name)} at #{moment['at']}{without(moment)}", "bold"))
    for line in code(pretty(moment["state"]), "json"):
        console.print(line)


@click.command()
@one_name
@click.option("--from", "begin", type=click.IntRange(0), help="The earlier moment; one event before, if not given.")
@click.option("--to", type=click.IntRange(0), help="The later moment; now, if it is not given.")
@click.option("--skip", help=f"{SKIP} At both moments.")
@click.option("--without", "left_out", metavar="SKIP", help="Compare one moment with itself, without these events.")
@as_json
@asks_the_bus
def diff(
    bus: Bus, name: str, begin: int | None, to: int | None, skip: str | None, left_out: str | None, as_json: bool
) -> None:
    """Show what is different between two moments of a service.

    Or, with --without, what some events make of one moment.

    \b
    Examples:
      minibus diff query --to 7
      minibus diff query --from 0 --to 7
      minibus diff query --without '5*'
    """
    if left_out is not None and (begin, skip) != (None, None):
        raise click.UsageError("--without compares one moment with itself: give --to at most.")
    to = bus.ask("GET", of(name, "/state"))["at"] if to is None else to
    if left_out is None:
        answer = bus.ask("GET", of(name, "/changes"), from_=begin, to=to, skip=skip)
    else:
        answer = bus.ask("GET", of(name, "/changes"), from_=to, to=to, skip=left_out, from_skip="")
    if as_json:
        print_json(answer)
        return
    moments = f"#{answer['from']} → #{answer['to']}" if left_out is None else f"#{to}"
    console.print(Text(f"{clean(name)} {moments}{without(answer)}: {count(answer)}", "bold"))
    for line in differences(answer["changes"]):
        console.print(line)


def without(moment: dict[str, Any]) -> str:
    """Tell which events a moment leaves out."""
    return " without " + ", ".join(f"#{seq}" for seq in moment["skipped"]) if moment["skipped"] else ""


def count(answer: dict[str, Any]) -> str:
    """Tell how much is different."""
    total, shown = answer.get("count", len(answer["changes"])), len(answer["changes"])
    if not total:
        return "nothing is different"
    return f"{total:,} change{'s' if total > 1 else ''}" + (f", the first {shown:,}" if shown < total else "")
