"""event-bus: remembers every event, and sends it to everybody."""

from __future__ import annotations

from typing import Any

from conformance import shared
from conformance.answer import as_json
from conformance.contract import Contract
from conformance.listeners import BusBench

event_bus: Contract[BusBench] = Contract("event-bus")

Events = list[dict[str, Any]]


def publish(it: BusBench, count: int = 1) -> Events:
    """Publish some events, one after the other; return them."""
    events = [it.new_event() for _ in range(count)]
    for event in events:
        it.post("/events", event).has_status(200)
    return events


def remembers(it: BusBench, events: Events) -> None:
    """GET /events has these events, in this order."""
    answer = it.get("/events").has_status(200)
    log = [entry for entry in answer.array() if isinstance(entry, dict)]
    if [event for entry in log for event in events if entry.items() >= event.items()] != events:
        raise answer.broken(f"an array that has, in this order, {as_json(events)}")


@event_bus.course('An event is taken with 200 and {"status": "OK"}')
def takes_events(it: BusBench) -> None:
    """Answer POST /events with 200 and {"status": "OK"}, as soon as you have the event; not only when everybody has
    answered you.
    """
    answer = it.post("/events", it.new_event()).has_status(200)
    if answer.object().get("status") != "OK":
        raise answer.broken('{"status": "OK"}')


@event_bus.course("Every event goes to all four services")
def sends_to_all(it: BusBench) -> None:
    """Send POST /events to posts (4000), comments (4001), query (4002) and moderation (4003): each event to each of
    them, also to the one who published it, with its type and its data as they came.
    """
    for event in publish(it, 2):
        for listener in it.listeners:
            listener.hears(event, it.patience)


@event_bus.course("GET /events shows all events as an array, oldest first")
def shows_all(it: BusBench) -> None:
    """Keep every event in an array, in the order in which they come, and answer GET /events with it. It is what a
    service reads that was away.
    """
    remembers(it, publish(it, 3))


@event_bus.course("A service that is away keeps nobody else from hearing")
def bears_who_is_away(it: BusBench) -> None:
    """Catch the error when a service does not answer, for each service by itself, and go on with the next."""
    for away in it.listeners:
        away.server.close()
        [event] = publish(it)
        for listener in it.listeners:
            if listener is not away:
                listener.hears(event, it.patience)
        away.server.open()
    publish(it)


@event_bus.course("A service that answers 500 keeps nobody else from hearing")
def bears_who_fails(it: BusBench) -> None:
    """Catch the error when a service answers 500 (axios makes an error of it), and go on with the next."""
    for failing in it.listeners:
        failing.fails = True
        [event] = publish(it)
        for listener in it.listeners:
            listener.hears(event, it.patience)
        failing.fails = False
    publish(it)


@event_bus.solid("A slow service holds up neither the others nor the publisher")
def bears_who_is_slow(it: BusBench) -> None:
    """Wait for nobody: start all four deliveries, and answer the publisher, before the first has ended. In Express
    leave out the await, in Flask give each service a thread and a queue.
    """
    for slow in it.listeners:
        slow.released.clear()
        try:
            [event] = publish(it)
            for listener in it.listeners:
                if listener is not slow:
                    listener.hears(event, it.patience)
        finally:
            slow.released.set()


@event_bus.solid("Restarted, it has all its events still", chapter=14, kills=True)
def keeps_events(it: BusBench) -> None:
    """Write each event to a disk before you answer, and read them all when you start: a bus that forgets takes the
    whole blog with it, as soon as query restarts too.
    """
    events = publish(it, 3)
    with it.away():
        pass
    remembers(it, events)
    [event] = publish(it)
    for listener in it.listeners:
        listener.hears(event, it.patience)


shared.errors_are_json(event_bus, "/events")
