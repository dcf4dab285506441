"""Show, register and unregister subscribers over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask import Flask
from minibus.http.errors import ApiError

from event_bus.delivery.subscriber import Subscriber
from event_bus.delivery.subscribers import Subscribers
from event_bus.http.body import Position, read_body
from event_bus.http.guard import Guard
from event_bus.log.log import Log


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """A registration: where a service runs, and its position `after` in the log `log_id`."""

    url: str
    log_id: str | None = None
    log: str | None = None  # the older name of `log_id`
    after: Position = 0
    stopping: bool = False
    ephemeral: Annotated[float, msgspec.Meta(gt=0)] | None = None  # seconds


def add_subscriber_routes(app: Flask, log: Log, subscribers: Subscribers, guard: Guard) -> None:
    """Add the routes that show, register and unregister subscribers."""

    @app.get("/subscribers")
    def list_subscribers() -> dict[str, Any]:
        """Show all subscribers, keyed by name."""
        return {subscriber.name: subscriber.describe() for subscriber in subscribers}

    @app.get("/subscribers/<name>")
    def show_subscriber(name: str) -> dict[str, Any]:
        """Show one subscriber."""
        return subscribers.find(name).describe()

    @app.put("/subscribers/<name>")
    def register(name: str) -> dict[str, Any]:
        """Register a subscriber, or move it to its position. A service repeats this every 2 s as its heartbeat."""
        if not log.store.keeps:
            raise ApiError(404, "This bus stores no events (EVENT_STORE=none), so it takes no registrations.")
        registration = read_body(Registration)
        guard.check_url(registration.url)
        return reply(subscribers.disconnect(name) if registration.stopping else accept(name, registration))

    def accept(name: str, new: Registration) -> Subscriber:
        log_id = new.log if new.log_id is None else new.log_id
        return subscribers.register(name, new.url.rstrip("/"), log_id, new.after, new.ephemeral)

    def reply(subscriber: Subscriber) -> dict[str, Any]:
        return subscriber.describe() | {
            "log_id": log.id,
            "log": log.id,  # the older name of `log_id`
            "head": log.head,
            "subscribers": {other.name: other.state for other in subscribers},
        }

    @app.delete("/subscribers/<name>")
    def unregister(name: str) -> tuple[str, int]:
        """Remove a subscriber."""
        subscribers.remove(name)
        return "", 204
