"""Show and add what happens now: `tail`, `publish`, `subscribers`."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from minibus.bus.client import BusAway, BusClient
from minibus.cli.options import as_json, asks_the_bus
from minibus.cli.terminal import clean, console, event_line, on_the_side, print_json

LAST = 10  # events that `tail` begins with
RETRY = 1.0  # seconds between two tries to follow the log
STATES = {"live": "green", "replaying": "yellow", "paused": "cyan", "down": "red"}


@click.command()
@click.option("--after", type=click.IntRange(0), show_default="10 before the end", help="Begin after this event.")
@click.option("--type", "event_type", help="Only events of this type.")
@click.option("--count", type=click.IntRange(1), show_default="never", help="End after this many events.")
@as_json
@asks_the_bus
def tail(bus: BusClient, after: int | None, event_type: str | None, count: int | None, as_json: bool) -> None:
    """Follow the log as it grows; Ctrl-C ends it.

    \b
    Examples:
      minibus tail
      minibus tail --after 0 --type CommentModerated
      minibus tail --after 0 --count 5 --json
    """
    after = max(bus.head() - LAST, 0) if after is None else after
    for event in itertools.islice(follow(bus, after, event_type), count):
        if as_json:
            print_json(event)
        else:
            console.print(event_line(event))


def follow(bus: BusClient, after: int, event_type: str | None) -> Iterator[dict[str, Any]]:
    """Yield the events after this position as the bus stores them, also over a restart of the bus."""
    only = {"type": event_type} if event_type else {}
    last_id, reached, retrying = "", False, False
    while True:
        try:
            for field, value in bus.follow(after, last_id, **only):
                reached, retrying = True, False
                if field == "id":
                    last_id = value
                elif field == "event" and value == "reset":
                    on_the_side.print("The bus has another log now; from its first event:", style="yellow")
                elif field == "data" and '"seq"' in value:
                    yield msgspec.json.decode(value)
        except BusAway as error:
            if not reached:
                raise
            if not retrying:
                on_the_side.print(Text(f"{clean(str(error))} Retrying every {RETRY:.0f} s.", "yellow"))
            retrying = True
        time.sleep(RETRY)


@click.command()
@click.argument("event_type", metavar="TYPE", type=str)
@click.argument("data", metavar="DATA_JSON", type=str)
@click.option("--source", default="/cli", show_default=True, help="The publisher's name.")
@click.option("--id", "event_id", help="An id of your own. The bus stores an event with the same source and id once.")
@as_json
@asks_the_bus
def publish(bus: BusClient, event_type: str, data: str, source: str, event_id: str | None, as_json: bool) -> None:
    """Publish an event.

    DATA_JSON is the event's data; - reads it from the standard input.

    \b
    Examples:
      minibus publish PostCreated '{"id": "1f2e3d4c", "title": "Hello"}'
      minibus publish PostCreated - --id hello-1 < post.json
    """
    try:
        facts = msgspec.json.decode(sys.stdin.read() if data == "-" else data)
    except ValueError as error:
        raise click.BadParameter(f"This is not JSON: {clean(str(error))}", param_hint="DATA_JSON") from None
    event = {"source": source, "type": event_type, "data": facts} | ({"id": event_id} if event_id else {})
    answer = bus.publish_one(event)
    if as_json:
        print_json(answer)
    else:
        place = f"#{answer['seq']} " if "seq" in answer else ""
        console.print(Text(f"{place}{clean(event_type)} is stored, id {clean(answer['id'])}"))


@click.command()
@as_json
@asks_the_bus
def subscribers(bus: BusClient, as_json: bool) -> None:
    """Show the subscribers, with their states and positions.

    \b
    Examples:
      minibus subscribers
      minibus subscribers --json | jq .query.lag
    """
    known = bus.subscribers()
    if as_json:
        print_json(known)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("name", "state", "position", "lag", "mode", "parked", "address"):
        # A narrow terminal folds the long name and address of a pod, and cuts off neither.
        table.add_column(column, overflow="fold", justify="right" if column in ("position", "lag") else "left")
    for name, subscriber in known.items():
        state, parked = subscriber["state"], ", ".join(f"#{seq}" for seq in subscriber["parked"])
        numbers = str(subscriber["position"]), str(subscriber["lag"])
        cells = (*numbers, subscriber["mode"], parked or "none", clean(subscriber["url"]))
        table.add_row(Text(clean(name), "bold"), Text(state, STATES.get(state, "")), *map(Text, cells))
        if subscriber["last_error"]:
            table.add_row("", Text("↳", "red"), "", "", "", "", Text(clean(subscriber["last_error"]), "red"))
    console.print(table if known else "There are no subscribers.")
