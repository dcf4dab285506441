"""What happens now: `tail`, `publish`, `subscribers`."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import click
import msgspec
import requests
from rich.table import Table
from rich.text import Text

from minibus.bus.client import BusAway
from minibus.cli.bus import Bus, as_json, asks_the_bus
from minibus.cli.terminal import clean, console, event_line, on_the_side, print_json

LAST = 10  # events that `tail` begins with
PAUSE = 1.0  # seconds before a stream that broke off is asked for again
STATES = {"live": "green", "replaying": "yellow", "paused": "cyan", "down": "red"}


@click.command()
@click.option("--after", type=click.IntRange(0), help="Begin after this event; 10 before the end, if it is not given.")
@click.option("--type", "event_type", help="Only events of this type.")
@click.option("--count", type=click.IntRange(1), help="End after so many events; never, if it is not given.")
@as_json
@asks_the_bus
def tail(bus: Bus, after: int | None, event_type: str | None, count: int | None, as_json: bool) -> None:
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


def follow(bus: Bus, after: int, event_type: str | None) -> Iterator[dict[str, Any]]:
    """Yield the events after this position as they are stored, also over a restart of the bus."""
    query = urlencode({"after": after} | ({"type": event_type} if event_type else {}))
    last_id, tries = "", itertools.count()
    while True:
        try:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
            with bus.open("GET", f"/events?{query}", headers) as answer:
                for field, value in fields(answer):
                    if field == "id":
                        last_id = value
                    elif field == "event" and value == "reset":
                        on_the_side.print("This is another log; from its beginning:", style="yellow")
                    elif field == "data" and '"seq"' in value:
                        yield msgspec.json.decode(value)
        except BusAway as error:
            if not last_id and not next(tries):
                raise
            on_the_side.print(Text(f"{clean(str(error))} Waiting.", "yellow"))
        time.sleep(PAUSE)


def fields(answer: requests.Response) -> Iterator[tuple[str, str]]:
    """Yield the fields of a stream of Server-Sent Events, until it breaks off."""
    try:
        for line in answer.iter_lines(chunk_size=1, decode_unicode=False):
            field, _, value = line.decode().partition(": ")
            yield field, value
    except requests.RequestException as error:
        raise BusAway("The bus has gone.") from error


@click.command()
@click.argument("event_type", metavar="TYPE", type=str)
@click.argument("data", metavar="DATA_JSON", type=str)
@click.option("--source", default="/cli", show_default=True, help="Who says that it happened.")
@click.option("--id", "event_id", help="An id of its own; the same source and id again is stored once.")
@as_json
@asks_the_bus
def publish(bus: Bus, event_type: str, data: str, source: str, event_id: str | None, as_json: bool) -> None:
    """Publish an event.

    DATA_JSON is its facts; - reads them from the input.

    \b
    Examples:
      minibus publish PostCreated '{"id": "1f2e3d4c", "title": "Hello"}'
      minibus publish PostCreated - --id hello-1 < post.json
    """
    try:
        facts = msgspec.json.decode(sys.stdin.read() if data == "-" else data)
    except ValueError as error:
        raise click.BadParameter(f"it is no JSON: {clean(str(error))}", param_hint="DATA_JSON") from None
    event = {"source": source, "type": event_type, "data": facts} | ({"id": event_id} if event_id else {})
    answer = bus.ask("POST", "/events", event)
    if as_json:
        print_json(answer)
    else:
        place = f"#{answer['seq']} " if "seq" in answer else ""
        console.print(Text(f"{place}{clean(event_type)} is stored, id {clean(answer['id'])}"))


@click.command()
@as_json
@asks_the_bus
def subscribers(bus: Bus, as_json: bool) -> None:
    """Show who listens, and how far each is.

    \b
    Examples:
      minibus subscribers
      minibus subscribers --json | jq .query.lag
    """
    known = bus.ask("GET", "/subscribers")
    if as_json:
        print_json(known)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("name", "state", "position", "lag", "mode", "parked", "address"):
        # A pod's name and address are long; none of it may be missing from a narrow terminal.
        table.add_column(column, overflow="fold", justify="right" if column in ("position", "lag") else "left")
    for name, one in known.items():
        state, parked = one["state"], ", ".join(f"#{seq}" for seq in one["parked"])
        cells = (str(one["position"]), str(one["lag"]), one["mode"], parked or "none", clean(one["url"]))
        table.add_row(Text(clean(name), "bold"), Text(state, STATES.get(state, "")), *map(Text, cells))
        if one["last_error"]:
            table.add_row("", Text("↳", "red"), "", "", "", "", Text(clean(one["last_error"]), "red"))
    console.print(table if known else "Nobody listens.")
