"""The whole log as one file, and back: NDJSON, a header that promises how many events follow, and those as stored."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import msgspec
from flask import Flask, Response, request
from minibus.core.event import MAX_EVENT_BYTES, BadEvent, Envelope, check
from minibus.http.errors import ApiError

from event_bus.log.log import Log
from event_bus.log.store import Duplicate

FORMAT = "minibus-log/1"
LINES = "application/x-ndjson"
MAX_LOG_BYTES = 1024**3
CHUNK = 64 * 1024  # bytes
IN_MEMORY = 8 * 1024 * 1024  # bytes; a larger file waits on the disk
# In its envelope, with its numbers written out (1e15), an event is longer than it was when it was published.
LONGEST_LINE = 4 * MAX_EVENT_BYTES
WHOLE = ("specversion", "id", "source", "type", "time", "seq", "correlationid", "datacontenttype")

logger = logging.getLogger("event-bus")


class Header(msgspec.Struct):
    """The first line of the file."""

    format: str
    events: int


def add_log_routes(app: Flask, log: Log) -> None:
    """Add export and import."""
    keeps = log.store.keeps

    @app.get("/log")
    def export_log() -> Response:
        """Stream the whole log as a file."""
        head = log.head if keeps else 0
        response = Response(write_log(log, head), mimetype=LINES)
        response.headers["Content-Disposition"] = 'attachment; filename="minibus-log.ndjson"'
        return response

    @app.put("/log")
    def import_log() -> dict[str, Any]:
        """Fill the empty log from a file, all or none; meanwhile nothing is delivered, and nothing else stored."""
        request.max_content_length = MAX_LOG_BYTES
        if request.mimetype != LINES:
            raise ApiError(415, f"Send a log as GET /log gives it, with Content-Type: {LINES}.")
        if not keeps:
            raise ApiError(409, "This bus keeps no events, so it takes no log (EVENT_STORE=none).")
        with log.reserved():
            if log.head:
                raise ApiError(409, f"The log has {log.head:,} events already; a log goes into an empty one only.")
            begun = time.monotonic()
            with SpooledTemporaryFile(IN_MEMORY) as file:
                receive(request.stream, file)
                try:
                    count = log.load(read_log(file))
                except Duplicate as error:
                    why = f"The event has the source and the id of line {error.first + 1}."
                    raise BadEvent(f"Line {error.seq + 1}: {why}", "id") from None
        logger.info("imported %d events in %.1f s", count, time.monotonic() - begun)
        return {"status": "OK", "events": count}


def write_log(log: Log, head: int) -> Iterator[bytes]:
    """Yield the file of a log that ends at `head`."""
    yield msgspec.json.encode(Header(FORMAT, head)) + b"\n"
    for page in log.pages(until=head):
        yield b"".join(record.body + b"\n" for record in page)


def receive(stream: IO[bytes], file: IO[bytes]) -> None:
    """Keep an upload in a file, and let others run in between."""
    while chunk := stream.read(CHUNK):
        file.write(chunk)
        time.sleep(0)
    file.seek(0)


def read_log(file: IO[bytes]) -> Iterator[Envelope]:
    """Yield the events of a log's file. Raises `BadEvent` with the first line that is wrong."""
    promised, number = 0, 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        try:
            if not line.endswith(b"\n"):
                raise BadEvent(f"It is {cut_off(line)}.", "log")
            if number == 1:
                promised = read_header(line)
            else:
                yield read_event(line, seq=number - 1)
        except BadEvent as error:
            raise BadEvent(f"Line {number}: {error}", error.field) from None
    if number != promised + 1:
        there, expected = max(number - 1, 0), f"line 1 promises {promised:,}" if number else "it is empty"
        raise BadEvent(f"Line {number + 1}: The file ends with {there:,} events; {expected}.", "events")


def cut_off(line: bytes) -> str:
    """Say why a line has no end."""
    return f"longer than {LONGEST_LINE:,} bytes" if len(line) > LONGEST_LINE else "cut off: the file ends in it"


def read_header(line: bytes) -> int:
    """Return how many events the header promises. Raises `BadEvent`."""
    try:
        header = msgspec.json.decode(line, type=Header)
    except (ValueError, RecursionError):
        header = None
    if header is None or header.format != FORMAT or header.events < 0:
        raise BadEvent(f'This is no log of Minibus: it begins with {{"format":"{FORMAT}","events":N}}.', "format")
    return header.events


def read_event(line: bytes, seq: int) -> Envelope:
    """Return the event of a line. Raises `BadEvent` where it is not whole, or not the one that comes next."""
    try:
        event = check(msgspec.json.decode(line))
    except BadEvent:
        raise
    except (ValueError, RecursionError) as error:
        raise BadEvent(f"It is no JSON: {error}.", "log") from None
    for name in WHOLE:
        if name not in event:
            raise BadEvent(f"The event has no {name}.", name)
    if event["seq"] != seq:
        raise BadEvent(f"Event {seq} comes next, not {event['seq']}.", "seq")
    return event
