"""The file of a log: NDJSON, a header with the number of events, then one stored event a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import msgspec
from minibus.core.event import MAX_EVENT_BYTES, BadEvent, Envelope, check

from event_bus.log.log import Log

FORMAT = "minibus-log/1"
LINES = "application/x-ndjson"
# The bus adds attributes to an event and writes 1e15 as 1000000000000000, so a stored event may be longer than allowed.
LONGEST_LINE = 4 * MAX_EVENT_BYTES
REQUIRED = ("specversion", "id", "source", "type", "time", "seq", "correlationid", "datacontenttype")


class Header(msgspec.Struct):
    """The first line of the file."""

    format: str
    events: int


def write_log(log: Log, head: int) -> Iterator[bytes]:
    """Yield the file of the first `head` events of a log."""
    yield msgspec.json.encode(Header(FORMAT, head)) + b"\n"
    for page in log.pages(until=head):
        yield b"".join(record.body + b"\n" for record in page)


def read_log(file: IO[bytes]) -> Iterator[Envelope]:
    """Yield the events of a log's file. Raises `BadEvent` at the first wrong line, with its number."""
    promised, number = 0, 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        try:
            if number == 1:
                promised = read_header(whole(line))
            else:
                yield read_event(whole(line), seq=number - 1)
        except BadEvent as error:
            raise BadEvent(f"Line {number}: {error}", error.field) from None
    if number != promised + 1:
        found, expected = max(number - 1, 0), f"line 1 promises {promised:,}" if number else "it is empty"
        raise BadEvent(f"Line {number + 1}: The file ends with {found:,} events; {expected}.", "events")


def whole(line: bytes) -> bytes:
    """Return a line that ends. Raises `BadEvent` if it is too long or cut off."""
    if line.endswith(b"\n"):
        return line
    if len(line) > LONGEST_LINE:
        raise BadEvent(f"The line is longer than {LONGEST_LINE:,} bytes.", "log")
    raise BadEvent("The line is cut off: the file ends in it.", "log")


def read_header(line: bytes) -> int:
    """Return the number of events that the header promises. Raises `BadEvent`."""
    try:
        header = msgspec.json.decode(line, type=Header)
    except (ValueError, RecursionError):
        header = None
    if header is None or header.format != FORMAT or header.events < 0:
        raise BadEvent(f'This is not a log of Minibus: expected {{"format":"{FORMAT}","events":N}}.', "format")
    return header.events


def read_event(line: bytes, seq: int) -> Envelope:
    """Return the event of a line. Raises `BadEvent` if an attribute is missing or the event is not number `seq`."""
    try:
        event = check(msgspec.json.decode(line))
    except BadEvent:
        raise
    except (ValueError, RecursionError) as error:
        raise BadEvent(f"This is not JSON: {error}.", "log") from None
    for name in REQUIRED:
        if name not in event:
            raise BadEvent(f"The event has no {name}.", name)
    if event["seq"] != seq:
        raise BadEvent(f"Event {seq} comes next, not {event['seq']}.", "seq")
    return event
