"""What the whiteboard draws, as one stream: events as they are stored, deliveries, and how the subscribers are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from flask import Response
from minibus.http.stream import KEEP_ALIVE, STREAM_HEADERS, server_sent

from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscribers import Subscribers
from event_bus.log.log import Log

RECENT_EVENTS, RECENT_DELIVERIES = 60, 240  # what happened before the page opened
BURST = 60  # events; of more at once only the last ones are told of singly
PACE = 0.1  # seconds between two messages: no eye is faster
GLANCE = 1.0  # seconds after which silence is noticed
TICKS = 600  # in the strip of the whole log


class Brief(msgspec.Struct):
    """An event without its data."""

    seq: int
    id: str
    type: str
    source: str
    time: str
    correlationid: str
    causationid: str | None = None


def follow_everything(
    log: Log, deliveries: Deliveries, subscribers: Subscribers, stopping: Callable[[], bool]
) -> Response:
    """Stream `subscribers`, `events` and `deliveries`, each when there is news of it, the last ones first.

    One stream, because a browser opens no more than six to one address, and two consoles may be open.
    """

    def messages() -> Iterator[bytes]:
        position = max(log.head - RECENT_EVENTS, 0)
        tried = max(deliveries.count - RECENT_DELIVERIES, 0)
        known: dict[str, Any] = {}
        silent = 0.0
        yield b"retry: 1000\n\n"
        while not stopping():
            news = b""
            latest = deliveries.after(tried)  # first, so that their events are among those told of
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
    """Tell how long the log is, and everything about who listens to it."""
    return {"log": log.id, "head": log.head, "subscribers": [subscriber.describe() for subscriber in subscribers]}


def briefs(log: Log, after: int, head: int) -> dict[str, Any]:
    """Tell which events are new, up to `head`; of a burst only its end in detail."""
    page = log.read(max(after, head - BURST), BURST) if log.store.keeps else []
    events = [msgspec.json.decode(record.body, type=Brief) for record in page if record.seq <= head]
    return {"first": after + 1, "last": head, "events": events}


def wait_for_news(log: Log, deliveries: Deliveries, position: int, tried: int, stopping: Callable[[], bool]) -> None:
    """Wait until something happens, or somebody may have fallen silent. Every delivery notifies the log, too."""
    with log.grown:
        log.grown.wait_for(lambda: log.head > position or deliveries.count > tried or stopping(), GLANCE)
        log.grown.wait_for(stopping, PACE)


def ticks(log: Log) -> dict[str, Any]:
    """Tell the types of events all along the log, of a long one of one event in `every`; and what types there are."""
    every = max(-(-log.head // TICKS), 1)
    sample = log.store.types(range(1, log.head + 1, every))
    names = list(dict.fromkeys([*log.store.all_types(), *sample]))
    return {"head": log.head, "every": every, "types": names, "ticks": [names.index(name) for name in sample]}
