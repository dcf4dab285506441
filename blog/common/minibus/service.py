"""A service of the mini-blog: pure handlers on one side, the course's routes on the other."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response
from flask_cors import CORS

from minibus.bus.client import BusAway, BusClient, BusRefused
from minibus.bus.course import CourseBus, newer_events
from minibus.bus.link import Link
from minibus.bus.shared_replica import SharedReplica
from minibus.bus.stamp import stamp
from minibus.core.event import Envelope, Event, seal
from minibus.core.fold import Handler
from minibus.core.history import History, Skip, with_what_it_caused
from minibus.http.app import create_app, run
from minibus.http.bus_errors import rejection
from minibus.http.deliveries import add_delivery_routes, add_readiness
from minibus.http.errors import Unavailable
from minibus.http.lifecycle import Lifecycle
from minibus.http.look_back import add_look_back_routes
from minibus.http.stream import Stream, Streams

RETRY_WRITES = 3.0  # seconds of retries while the bus is away
READ_YOUR_WRITES = 2.0  # seconds that a write waits until this service has applied it

H = TypeVar("H", bound=Handler)


class Service:
    """A service: its Flask app (`app`), its handlers (`on`), and the `state` that they make of the log."""

    def __init__(self, name: str, port: int, state: Callable[[], Any] = dict) -> None:
        self.name = name
        self.port = int(os.environ.get("PORT", port))
        self.handlers: dict[str, Handler] = {}
        self.empty = state
        self.app = create_app(name)
        self.life: Lifecycle = self.app.extensions["minibus"]
        self.bus = BusClient(os.environ.get("EVENT_BUS_URL", "http://127.0.0.1:4005"))
        self.streams = Streams()
        self.replica = SharedReplica(name, self.handlers, state, self.streams.note)
        self.course = CourseBus(self.bus, self.replica)
        self.link = Link(
            os.environ.get("SUBSCRIBER_NAME", name),
            {"url": os.environ.get("SERVICE_URL", f"http://127.0.0.1:{self.port}"), **_ephemeral()},
            self.bus,
            self.replica,
            self.course,
            self.life.stopping,
            self.streams.wake,
        )
        self.life.on_start += [self.link.start]
        self.life.on_stop += [self.streams.wake, self.link.stop]
        self.history = History(self.replica.core, self.bus.events, self.replica.changed)
        CORS(self.app, resources="/posts*")
        add_delivery_routes(self.app, self.replica, self.course, self.link.forget)
        add_readiness(self.app, self.replica, self.bus.url)
        add_look_back_routes(self.app, self.replica, self.history, self.handlers, self.consequences)

    @property
    def state(self) -> Any:
        """The live state, plain JSON. Only handlers change it."""
        return self.replica.state

    def on(self, event_type: str) -> Callable[[H], H]:
        """Register the function below as the handler of a type: `(state, data)` in, the events that it causes out."""

        def register(handler: H) -> H:
            if event_type in self.handlers:
                raise ValueError(f"{self.name} has a handler for {event_type} already")
            self.handlers[event_type] = handler
            return handler

        return register

    def publish(self, event: Event) -> None:
        """Publish an event and wait until this service has applied it, so that a client reads its own writes.

        Retries for 3 s with the same event id while the bus is away; raises `ApiError` 503 after that.
        Waits at most 2 s for the event to be applied: a paused service publishes all the same.
        """
        envelope = seal(event, f"/{self.name}", **stamp())
        with self.replica.expecting(envelope["id"]) as applied:
            self._publish_patiently(envelope)
            applied.wait(READ_YOUR_WRITES)

    def _publish_patiently(self, envelope: Envelope) -> None:
        maybe_stored = False
        for last_try in self.life.tries(RETRY_WRITES):
            try:
                return self.bus.publish([envelope])
            except BusRefused as error:
                raise rejection(error) from error
            except BusAway as error:
                maybe_stored = maybe_stored or error.maybe_stored
                if last_try:
                    raise Unavailable(WRITE_LOST if maybe_stored else WRITE_REFUSED) from error

    def log_has(self, event_type: str, entity_id: str) -> bool:
        """Return whether the log has such an event that this service has not applied yet. Raises `ApiError` 503."""
        try:
            newer = newer_events(self.bus, self.replica.position, event_type)
            return any(_id_of(event) == entity_id for event in newer)
        except (BusAway, BusRefused) as error:
            raise Unavailable("The event bus is away, so this cannot be checked. Try again in a moment.") from error

    def consequences(self, seq: int) -> Skip:
        """Return the numbers of this event and of all that it caused. Raises `BusAway` or `BusRefused`."""
        event = self.bus.event(seq)
        return with_what_it_caused(event, self.bus.events(after=seq, correlationid=event["correlationid"]))

    def stream(self, entity: str, key: Callable[[Any], Any], show: Callable[[Any], Any]) -> Response:
        """Answer with Server-Sent Events: an array of all entities first (`event: posts`), in the log's order,
        then each that changes (`event: post`).

        `key` finds the entity's id in the data of an event, `show` turns an entity into what is sent.
        """
        stream = Stream(self.replica, self.handlers, self.link.status, self.life.stopping, entity, key, show)
        return self.streams.response(stream)

    def run(self) -> None:
        """Run this service alone, with reload."""
        run(self.app, self.port)


def _ephemeral() -> dict[str, float]:
    """Read after how many seconds of silence the bus removes this subscriber: `EPHEMERAL`; never, if it is not set."""
    seconds = os.environ.get("EPHEMERAL")
    return {"ephemeral": float(seconds)} if seconds else {}


def _id_of(event: Envelope) -> Any:
    data = event.get("data")
    return data.get("id") if isinstance(data, dict) else None


WRITE_REFUSED = "The event bus is away, so nothing was stored. Try again in a moment."
WRITE_LOST = "The event bus did not answer: this may have been stored. Look before you try again."
