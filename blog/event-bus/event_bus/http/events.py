"""Publish and read events over HTTP."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Flask, Response, request
from minibus.bus.stamp import stamp
from minibus.core.event import MAX_EVENT_BYTES, BadEvent, Envelope, check, complete
from minibus.http.errors import ApiError
from minibus.http.fields import whole_number

from event_bus.http.metrics import Metrics
from event_bus.http.streams import STREAM, follow_log
from event_bus.log.file import LINES
from event_bus.log.log import Log
from event_bus.log.store.interface import PAGE_EVENTS, Only, Stored

BATCH = "application/cloudevents-batch+json"
MAX_BATCH_BYTES = 8 * 1024 * 1024
MAX_BATCH_EVENTS = 1000

Pages = Iterable[list[bytes]]

logger = logging.getLogger("event-bus")


def add_event_routes(app: Flask, log: Log, metrics: Metrics) -> None:
    """Add the routes that publish and read events."""
    add_publishing(app, log, metrics)
    add_reading(app, log)


def add_publishing(app: Flask, log: Log, metrics: Metrics) -> None:
    """Add the route that publishes events."""
    keeps = log.store.keeps

    @app.post("/events")
    def publish() -> dict[str, Any]:
        """Store one event, or a batch all or none. Answer once it is durable."""
        if request.mimetype == BATCH:
            request.max_content_length = MAX_BATCH_BYTES
            stored = append(read_batch(request.get_json(), len(request.get_data())))
            return {"status": "OK", "events": [shown(place) for place in stored]}
        request.max_content_length = MAX_EVENT_BYTES
        [place] = append([complete(check(request.get_json()), **stamp())])
        return {"status": "OK", **shown(place)}

    def append(events: list[Envelope]) -> list[Stored]:
        begun = time.monotonic()
        stored = log.append(events)
        took = time.monotonic() - begun
        metrics.note_append(events, took)
        log_stored(events, stored, took * 1000)
        return stored

    def shown(place: Stored) -> dict[str, Any]:
        return place._asdict() if keeps else {"id": place.id}


def add_reading(app: Flask, log: Log) -> None:
    """Add the routes that read events."""
    keeps = log.store.keeps

    @app.get("/events")
    def read_events() -> Response:
        """Stream the events as one JSON array, oldest first. With `limit`: one page, with a link to the next.

        `Accept` may ask for one event a line, or for Server-Sent Events that follow the log.
        """
        after = whole_number("after", request.args) or 0
        limit = whole_number("limit", request.args)
        only = Only(*(request.args.get(name) or None for name in Only._fields))
        accepted = request.accept_mimetypes.best_match(["application/json", LINES, STREAM], "application/json")
        if accepted == STREAM:
            return follow_log(log, after, only, app.extensions["minibus"].stopping.is_set)
        if not keeps:
            return in_form(accepted, [])
        if limit is None:
            return in_form(accepted, ([record.body for record in page] for page in log.pages(after, only)))
        page = log.read(after, min(limit, PAGE_EVENTS), only) if limit else []
        response = in_form(accepted, [[record.body for record in page]])
        if page and page[-1].seq < log.head:
            response.headers["Link"] = link_to_next(page[-1].seq, limit, only)
        return response

    @app.get("/events/<int:seq>")
    def read_event(seq: int) -> Response:
        """Show one event."""
        if not keeps or not 1 <= seq <= log.head:
            raise ApiError(404, f"There is no event {seq}; the log ends at {log.head if keeps else 0}.")
        return Response(log.read(seq - 1, 1)[0].body, mimetype="application/json")


def log_stored(events: list[Envelope], stored: list[Stored], milliseconds: float) -> None:
    """Log what was stored in one line."""
    if len(events) == 1:
        place, event = stored[0].seq, events[0]
        logger.info("#%d %.80s from %.80s, stored in %.1f ms", place, event["type"], event["source"], milliseconds)
    elif events:
        first, last = stored[0].seq, stored[-1].seq
        logger.info("#%d to #%d, %d events, stored in %.1f ms", first, last, len(events), milliseconds)


def in_form(accepted: str, pages: Pages) -> Response:
    """Stream pages of events in the form that the client accepts."""
    return Response(as_lines(pages) if accepted == LINES else as_array(pages), mimetype=accepted)


def as_array(pages: Pages) -> Iterator[bytes]:
    """Yield pages of events as one JSON array: the stored bytes, never parsed again."""
    opening = b"["
    for page in filter(None, pages):
        yield opening + b",".join(page)
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


def as_lines(pages: Pages) -> Iterator[bytes]:
    """Yield pages of events one a line (NDJSON)."""
    for page in pages:
        yield b"".join(body + b"\n" for body in page)


def link_to_next(after: int, limit: int, only: Only) -> str:
    """Return the `Link` header of the next page (RFC 8288)."""
    parameters = {"after": after, "limit": limit, **only._asdict()}
    given = {name: value for name, value in parameters.items() if value is not None}
    return f'</events?{urlencode(given)}>; rel="next"'


def read_batch(body: Any, size: int) -> list[Envelope]:
    """Return the events of a batch, whose JSON has `size` bytes. Raises `BadEvent`, `ApiError` for its first fault."""
    if not isinstance(body, list):
        raise BadEvent("A batch is a JSON array of events.", "events")
    if len(body) > MAX_BATCH_EVENTS:
        raise ApiError(413, f"The batch has {len(body):,} events; {MAX_BATCH_EVENTS:,} are allowed.")
    envelopes = []
    for index, event in enumerate(body, 1):
        if size > MAX_EVENT_BYTES and len(msgspec.json.encode(event)) > MAX_EVENT_BYTES:
            raise ApiError(413, f"Event {index} of {len(body)} is larger than {MAX_EVENT_BYTES:,} bytes.")
        try:
            envelopes.append(complete(check(event), **stamp()))
        except BadEvent as error:
            raise BadEvent(f"Event {index} of {len(body)}: {error}", error.field) from None
    return envelopes
