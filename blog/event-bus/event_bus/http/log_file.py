"""Export the log as a file, and import such a file, over HTTP."""

from __future__ import annotations

import logging
import time
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Flask, Response, request
from minibus.core.event import BadEvent
from minibus.http.errors import ApiError

from event_bus.log.file import LINES, read_log, write_log
from event_bus.log.log import Log
from event_bus.log.store.interface import Duplicate

MAX_LOG_BYTES = 1024**3
CHUNK = 64 * 1024  # bytes
IN_MEMORY = 8 * 1024 * 1024  # bytes; a larger upload goes to a temporary file

logger = logging.getLogger("event-bus")


def add_log_file_routes(app: Flask, log: Log) -> None:
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
        """Fill the empty log from a file, all or none. Until the import ends, the bus rejects other events."""
        request.max_content_length = MAX_LOG_BYTES
        if request.mimetype != LINES:
            raise ApiError(415, f"Send a log in the form of GET /log, with Content-Type: {LINES}.")
        if not keeps:
            raise ApiError(409, "This bus stores no events (EVENT_STORE=none), so it cannot import a log.")
        with log.reserved():
            if log.head:
                raise ApiError(409, f"The log has {log.head:,} events already; import needs an empty log.")
            begun = time.monotonic()
            with SpooledTemporaryFile(IN_MEMORY) as file:
                receive(request.stream, file)
                count = load(log, file)
        logger.info("imported %d events in %.1f s", count, time.monotonic() - begun)
        return {"status": "OK", "events": count}


def receive(stream: IO[bytes], file: IO[bytes]) -> None:
    """Copy an upload to a file, and give other greenlets a turn after each chunk."""
    while chunk := stream.read(CHUNK):
        file.write(chunk)
        time.sleep(0)
    file.seek(0)


def load(log: Log, file: IO[bytes]) -> int:
    """Fill the log from the file. Return the number of events. Raises `BadEvent` with the number of the wrong line."""
    try:
        return log.load(read_log(file))
    except Duplicate as error:
        # Line 1 is the header, so event 1 is on line 2.
        why = f"The event has the same source and id as line {error.first + 1}."
        raise BadEvent(f"Line {error.seq + 1}: {why}", "id") from None
