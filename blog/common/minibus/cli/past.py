"""Show states of the past, and compare them: `state`, `diff`. Running services stay as they are."""

from __future__ import annotations

from typing import Any

import click
from rich.text import Text

from minibus.bus.client import BusClient
from minibus.cli.options import as_json, asks_the_bus, one_name
from minibus.cli.terminal import clean, code, console, differences, pretty, print_json

SKIP = "Skip these events, such as 7,9*; the star also skips all events that event 9 caused."


@click.command()
@one_name
@click.option("--at", type=click.IntRange(0), show_default="now", help="After this event.")
@click.option("--skip", help=SKIP)
@as_json
@asks_the_bus
def state(bus: BusClient, name: str, at: int | None, skip: str | None, as_json: bool) -> None:
    """Show the state of a service, now or after any event.

    \b
    Examples:
      minibus state query
      minibus state query --at 7
      minibus state query --at 7 --skip '5*'
    """
    moment = bus.state(name, at, skip)
    if as_json:
        print_json(moment)
        return
    console.print(Text(f"{clean(name)} at #{moment['at']}{without(moment)}", "bold"))
    for line in code(pretty(moment["state"]), "json"):
        console.print(line)


@click.command()
@one_name
@click.option("--from", "begin", type=click.IntRange(0), show_default="--to minus 1", help="The earlier moment.")
@click.option("--to", type=click.IntRange(0), show_default="now", help="The later moment.")
@click.option("--skip", help=f"{SKIP} At both moments.")
@click.option("--without", "left_out", metavar="SKIP", help="Compare one moment with its variant without these events.")
@as_json
@asks_the_bus
def diff(
    bus: BusClient, name: str, begin: int | None, to: int | None, skip: str | None, left_out: str | None, as_json: bool
) -> None:
    """Show the difference between two moments of a service.

    With --without, show the difference that these events make at one moment.

    \b
    Examples:
      minibus diff query --to 7
      minibus diff query --from 0 --to 7
      minibus diff query --without '5*'
    """
    if left_out is not None and (begin, skip) != (None, None):
        raise click.UsageError("--without compares a moment with its variant; give only --to.")
    to = bus.state(name)["at"] if to is None else to
    if left_out is None:
        answer = bus.changes(name, from_=begin, to=to, skip=skip)
    else:
        answer = bus.changes(name, from_=to, to=to, skip=left_out, from_skip="")
    if as_json:
        print_json(answer)
        return
    moments = f"#{answer['from']} → #{answer['to']}" if left_out is None else f"#{to}"
    console.print(Text(f"{clean(name)} {moments}{without(answer)}: {count(answer)}", "bold"))
    for line in differences(answer["changes"]):
        console.print(line)


def without(moment: dict[str, Any]) -> str:
    """Return which events a moment skips, as the end of a title."""
    return " without " + ", ".join(f"#{seq}" for seq in moment["skipped"]) if moment["skipped"] else ""


def count(answer: dict[str, Any]) -> str:
    """Return the number of changes as text."""
    total, shown = answer.get("count", len(answer["changes"])), len(answer["changes"])
    if not total:
        return "no difference"
    return f"{total:,} change{'s' if total > 1 else ''}" + (f", the first {shown:,}" if shown < total else "")
