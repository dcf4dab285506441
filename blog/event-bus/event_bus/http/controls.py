"""Pause, step and rewind subscribers over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask import Flask
from minibus.http.errors import ApiError

from event_bus.delivery.controls import Controls
from event_bus.delivery.subscribers import Subscribers
from event_bus.http.body import Position, read_body
from event_bus.log.log import Log

MOST_STEPS = 1000


class Pause(msgspec.Struct, forbid_unknown_fields=True):
    """Whether a subscriber is to be paused."""

    paused: bool


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """How many events to deliver."""

    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class Rewind(msgspec.Struct, forbid_unknown_fields=True):
    """The last event to replay after the subscriber has forgotten its state."""

    to: Position = 0


def add_control_routes(app: Flask, log: Log, subscribers: Subscribers) -> None:
    """Add the routes that pause, step and rewind a subscriber. Each answers when it is done."""

    def controls(name: str) -> Controls:
        subscriber = subscribers.find(name)
        if not log.store.keeps:
            why = "so it cannot pause, step or rewind a subscriber"
            raise ApiError(409, f"This bus stores no events (EVENT_STORE=none), {why}.")
        return Controls(subscriber, log)

    @app.patch("/subscribers/<name>")
    def pause(name: str) -> dict[str, Any]:
        """Pause or resume a subscriber. A pause waits for the end of a delivery that is under way."""
        paused = read_body(Pause).paused
        return controls(name).pause() if paused else controls(name).resume()

    @app.post("/subscribers/<name>/step")
    def step(name: str) -> dict[str, int]:
        """Deliver the next events to a paused subscriber."""
        return controls(name).step(min(read_body(Step).count, MOST_STEPS))

    @app.post("/subscribers/<name>/rewind")
    def rewind(name: str) -> dict[str, Any]:
        """Make a subscriber forget its state, and replay the log to it."""
        return controls(name).rewind(read_body(Rewind).to)
