"""The event bus over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
from flask import Flask, Response, request
from minibus.errors import ApiError, error_response
from minibus.event import MAX_EVENT_BYTES, BadEvent, Envelope, check, complete
from minibus.web import create_app, json_object, whole_number

from event_bus.log import Log
from event_bus.store import PAGE_EVENTS, Store, Stored, StoreError
from event_bus.subscribers import Subscribers

BATCH = "application/cloudevents-batch+json"
MAX_BATCH_BYTES = 8 * 1024 * 1024
MAX_BATCH_EVENTS = 1000
LOOK_BACK = (1.0, 25.0)  # seconds to connect to a service, and for its answer

logger = logging.getLogger("event-bus")


def create_bus(store: Store) -> Flask:
    """Make the app of a bus with this store."""
    app = create_app("event-bus")
    log = Log(store)
    subscribers = Subscribers(log)
    app.extensions["minibus"].on_stop.append(subscribers.close)

    @app.post("/events")
    def publish() -> dict[str, Any]:
        """Store one event, or a batch all or none; answer once it is durable."""
        if request.mimetype == BATCH:
            request.max_content_length = MAX_BATCH_BYTES
            stored = append(log, read_batch(request.get_json()))
            return {"status": "OK", "events": [place._asdict() for place in stored]}
        request.max_content_length = MAX_EVENT_BYTES
        [place] = append(log, [complete(check(request.get_json()))])
        return {"status": "OK", **place._asdict()}

    @app.get("/events")
    def read_events() -> Response:
        """Stream the events as one JSON array, oldest first; a page with `limit` links to the next."""
        after = whole_number("after", request.args) or 0
        limit = whole_number("limit", request.args)
        event_type = request.args.get("type")
        if limit is None:
            return Response(as_array(log, after, event_type), mimetype="application/json")
        page = log.store.read(after, min(limit, PAGE_EVENTS), event_type) if limit else []
        response = Response(b"[" + b",".join(record.body for record in page) + b"]", mimetype="application/json")
        if page and page[-1].seq < log.head:
            onward = {"after": page[-1].seq, "limit": limit} | ({"type": event_type} if event_type else {})
            response.headers["Link"] = f'</events?{urlencode(onward)}>; rel="next"'
        return response

    @app.get("/events/<int:seq>")
    def read_event(seq: int) -> Response:
        """Show one event."""
        if not 1 <= seq <= log.head:
            raise ApiError(404, f"There is no event {seq}; the log ends at {log.head}.")
        return Response(log.store.read(seq - 1, 1)[0].body, mimetype="application/json")

    @app.get("/subscribers")
    def list_subscribers() -> dict[str, Any]:
        """Show who listens, keyed by name."""
        return {subscriber.name: subscriber.describe() for subscriber in subscribers}

    @app.get("/subscribers/<name>")
    def show_subscriber(name: str) -> dict[str, Any]:
        """Show one subscriber."""
        return subscribers.get(name).describe()

    @app.put("/subscribers/<name>")
    def register(name: str) -> dict[str, Any]:
        """Take a subscriber's word for where it lives and how far it is: register, heartbeat and correction in one."""
        word = read_word(json_object())
        if word.stopping:
            subscribers.get(name).say_goodbye()
        else:
            subscribers.register(name, word.url, word.log, word.after)
        return subscribers.get(name).describe() | {
            "log": log.id,
            "head": log.head,
            "subscribers": {subscriber.name: subscriber.state for subscriber in subscribers},
        }

    @app.delete("/subscribers/<name>")
    def unregister(name: str) -> tuple[str, int]:
        """Forget a subscriber."""
        subscribers.remove(name)
        return "", 204

    @app.get("/subscribers/<name>/state")
    def look_back(name: str) -> Response:
        """Ask a subscriber for its state, now or as it was `at` an event, without the events in `skip`."""
        subscriber = subscribers.get(name)
        at = whole_number("at", request.args)
        if at is not None and at > log.head:
            raise ApiError(422, f"The log ends at {log.head}; {at} is beyond it.", "at")
        try:
            answer = requests.get(f"{subscriber.url}/state", params=request.args.to_dict(), timeout=LOOK_BACK)
        except requests.RequestException as error:
            raise ApiError(503, f"{name} is down; start it to look.", headers={"Retry-After": "2"}) from error
        return Response(answer.content, answer.status_code, mimetype=answer.headers.get("Content-Type"))

    @app.errorhandler(BadEvent)
    def bad_event(error: BadEvent) -> Response:
        return error_response(422, str(error), error.field)

    @app.errorhandler(StoreError)
    def not_stored(error: StoreError) -> Response:
        response = error_response(503, f"Nothing was stored: {error}.")
        response.headers["Retry-After"] = "2"
        return response

    return app


def append(log: Log, events: list[Envelope]) -> list[Stored]:
    """Append, and tell the log of this process."""
    stored = log.append(events)
    if len(events) == 1:
        logger.info("%6d %s from %s", stored[0].seq, events[0]["type"], events[0]["source"])
    elif events:
        logger.info("%6d … %d: %d events in a batch", stored[0].seq, stored[-1].seq, len(events))
    return stored


def as_array(log: Log, after: int, event_type: str | None) -> Iterator[bytes]:
    """Yield the log as one JSON array, a page at a time: the stored bytes, never parsed again."""
    opening = b"["
    for page in log.pages(after, event_type):
        yield opening + b",".join(record.body for record in page)
        opening = b","
    yield b"[]" if opening == b"[" else b"]"


def read_batch(body: Any) -> list[Envelope]:
    """Return the batch as envelopes, or raise what is wrong with which of its events."""
    if not isinstance(body, list):
        raise BadEvent("A batch is a JSON array of events.", "events")
    if len(body) > MAX_BATCH_EVENTS:
        raise ApiError(413, f"The batch has {len(body):,} events; {MAX_BATCH_EVENTS:,} are allowed.")
    return [read_one_of(body, index) for index in range(len(body))]


def read_one_of(batch: list[Any], index: int) -> Envelope:
    """Return one event of a batch as an envelope."""
    which = f"Event {index + 1} of {len(batch)}"
    if len(msgspec.json.encode(batch[index])) > MAX_EVENT_BYTES:
        raise ApiError(413, f"{which} is larger than {MAX_EVENT_BYTES:,} bytes.")
    try:
        return complete(check(batch[index]))
    except BadEvent as error:
        raise BadEvent(f"{which}: {error}", error.field) from None


class Word(msgspec.Struct, forbid_unknown_fields=True):
    """What a subscriber says of itself."""

    url: str
    log: str | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    stopping: bool = False


def read_word(body: dict[str, Any]) -> Word:
    """Check what a subscriber says of itself. Raises `ApiError` 422."""
    try:
        word = msgspec.convert(body, Word)
    except msgspec.ValidationError as error:
        raise ApiError(422, f"{error}.") from None
    address = urlsplit(word.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ApiError(422, f"url is an address such as http://127.0.0.1:4002, not {word.url!r}.", "url")
    return word
