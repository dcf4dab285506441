"""Rules for the event bus: it keeps every event, and delivers it to all four services."""

from __future__ import annotations

from typing import Any

from conformance import shared
from conformance.answer import as_json
from conformance.contract import Contract
from conformance.listeners import BusBench

event_bus: Contract[BusBench] = Contract("event-bus")

Events = list[dict[str, Any]]


def publish(it: BusBench, count: int = 1) -> Events:
    """Publish `count` events, one after the other; return them."""
    events = [it.new_event() for _ in range(count)]
    for event in events:
        it.post("/events", event).has_status(200)
    return events


def remembers(it: BusBench, events: Events) -> None:
    """Check that GET /events has these events in this order. Raises `Broken`."""
    answer = it.get("/events").has_status(200)
    log = [entry for entry in answer.array() if isinstance(entry, dict)]
    if [event for entry in log for event in events if entry.items() >= event.items()] != events:
        raise answer.broken(f"an array with these events in this order: {as_json(events)}")


@event_bus.course('A published event is answered with 200 and {"status": "OK"}')
def takes_events(it: BusBench) -> None:
    """Answer POST /events with 200 and {"status": "OK"} as soon as you have the event. Do not wait for the answers of
    the four services.
    """
    answer = it.post("/events", it.new_event()).has_status(200)
    if answer.object().get("status") != "OK":
        raise answer.broken('{"status": "OK"}')


@event_bus.course("Every event is delivered to all four services")
def sends_to_all(it: BusBench) -> None:
    """Send each event with POST /events to posts (4000), comments (4001), query (4002) and moderation (4003). Its
    publisher gets it, too. Do not change its type and data.
    """
    for event in publish(it, 2):
        for listener in it.listeners:
            listener.receives(event, it.patience)


@event_bus.course("GET /events shows all events as an array, oldest first")
def shows_all(it: BusBench) -> None:
    """Append every event to an array, and answer GET /events with this array. A service that was down reads it."""
    remembers(it, publish(it, 3))


@event_bus.course("A service that is down does not stop other deliveries")
def bears_who_is_away(it: BusBench) -> None:
    """Catch the error of a service that does not answer, separately for each service. Then deliver to the next one."""
    for away in it.listeners:
        away.server.close()
        [event] = publish(it)
        for listener in it.listeners:
            if listener is not away:
                listener.receives(event, it.patience)
        away.server.open()
    publish(it)


@event_bus.course("A service that answers 500 does not stop other deliveries")
def bears_who_fails(it: BusBench) -> None:
    """Catch the error of a service that answers 500: axios raises one. Then deliver to the next service."""
    for failing in it.listeners:
        failing.fails = True
        [event] = publish(it)
        for listener in it.listeners:
            listener.receives(event, it.patience)
        failing.fails = False
    publish(it)


@event_bus.solid("A slow service delays neither the others nor the publisher")
def bears_who_is_slow(it: BusBench) -> None:
    """Start all four deliveries, and answer the publisher, before the first delivery has ended. In Express leave out
    the await; in Flask give each service a thread and a queue.
    """
    for slow in it.listeners:
        slow.released.clear()
        try:
            [event] = publish(it)
            for listener in it.listeners:
                if listener is not slow:
                    listener.receives(event, it.patience)
        finally:
            slow.released.set()


@event_bus.solid("After a restart it still has all events", chapter=14, kills=True)
def keeps_events(it: BusBench) -> None:
    """Write each event to a disk before you answer, and read all events when you start. If the bus loses its events,
    the blog is empty after the next restart of query.
    """
    events = publish(it, 3)
    with it.away():
        pass
    remembers(it, events)
    [event] = publish(it)
    for listener in it.listeners:
        listener.receives(event, it.patience)


shared.errors_are_json(event_bus, "/events")
