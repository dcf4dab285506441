"""Stream what the whiteboard draws: stored events, deliveries, and the subscribers' states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from flask import Response
from minibus.http.stream import KEEP_ALIVE, STREAM_HEADERS, server_sent

from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscribers import Subscribers
from event_bus.log.log import Log

RECENT_EVENTS, RECENT_DELIVERIES = 60, 240  # sent when the page opens
BURST = 60  # events; of a longer burst the stream describes only the last ones
PACE = 0.1  # seconds between two messages; people see no faster changes
GLANCE = 1.0  # seconds between two looks at the subscribers, which go down without notice
TICKS = 600  # at most, in the strip of the whole log


class Brief(msgspec.Struct):
    """An event without its data."""

    seq: int
    id: str
    type: str
    source: str
    time: str
    correlationid: str
    causationid: str | None = None


def follow_whiteboard(
    log: Log, deliveries: Deliveries, subscribers: Subscribers, stopping: Callable[[], bool]
) -> Response:
    """Stream the messages `subscribers`, `events` and `deliveries`, each when it has changed. Recent ones come first.

    It is one stream, because a browser opens at most six connections to a server, and two consoles may be open.
    """

    def messages() -> Iterator[bytes]:
        position = max(log.head - RECENT_EVENTS, 0)
        tried = max(deliveries.count - RECENT_DELIVERIES, 0)
        known: dict[str, Any] = {}
        silent = 0.0
        yield b"retry: 1000\n\n"
        while not stopping():
            news = b""
            latest = deliveries.after(tried)  # read before the log, so that their events are in this message or earlier
            now = describe(log, subscribers)
            if now != known:
                known = now
                news += server_sent("subscribers", now)
            if now["head"] > position:
                news += server_sent("events", briefs(log, position, now["head"]))
                position = now["head"]
            if latest:
                tried = latest[-1].number
                news += server_sent("deliveries", latest)
            silent = 0.0 if news else silent + GLANCE
            if silent >= KEEP_ALIVE:
                news, silent = b":\n\n", 0.0
            if news:
                yield news
            wait_for_news(log, deliveries, position, tried, stopping)

    return Response(messages(), mimetype="text/event-stream", headers=STREAM_HEADERS)


def describe(log: Log, subscribers: Subscribers) -> dict[str, Any]:
    """Return the log's id and head, and all subscribers."""
    return {
        "log_id": log.id,
        "log": log.id,  # the older name of `log_id`
        "head": log.head,
        "subscribers": [subscriber.describe() for subscriber in subscribers],
    }


def briefs(log: Log, after: int, head: int) -> dict[str, Any]:
    """Return the range of the new events up to `head`, and the last 60 of them without their data."""
    page = log.read(max(after, head - BURST), BURST) if log.store.keeps else []
    events = [msgspec.json.decode(record.body, type=Brief) for record in page if record.seq <= head]
    return {"first": after + 1, "last": head, "events": events}


def wait_for_news(log: Log, deliveries: Deliveries, position: int, tried: int, stopping: Callable[[], bool]) -> None:
    """Wait for an event or a delivery, at most a second. A courier notifies `log.grown` after each delivery."""
    with log.grown:
        log.grown.wait_for(lambda: log.head > position or deliveries.count > tried or stopping(), GLANCE)
        log.grown.wait_for(stopping, PACE)


def ticks(log: Log) -> dict[str, Any]:
    """Return the type of every event, or of one event in `every` in a log of more than 600, and a list of all types."""
    every = max(-(-log.head // TICKS), 1)
    sample = log.store.types(range(1, log.head + 1, every))
    names = list(dict.fromkeys([*log.store.all_types(), *sample]))
    return {"head": log.head, "every": every, "types": names, "ticks": [names.index(name) for name in sample]}
