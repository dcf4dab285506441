"""Registering, looking at and controlling subscribers over HTTP."""

from __future__ import annotations

import time
from typing import Annotated, Any, TypeVar

import msgspec
import requests
from flask import Flask, Response, request
from minibus.bus import session
from minibus.bus.token import HEADERS
from minibus.http.errors import ApiError
from minibus.http.fields import json_object, whole_number

from event_bus.delivery.controls import Controls
from event_bus.delivery.courier import EndlessAnswer, read_answer
from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscribers import Subscribers
from event_bus.http.guard import Guard
from event_bus.http.streams import follow_deliveries
from event_bus.log.log import Log

LOOK_BACK = (1.0, 25.0)  # seconds to connect to a service, and for its answer
LONGEST_STATE = 256 * 1024 * 1024  # bytes
MOST_STEPS = 1000

Position = Annotated[int, msgspec.Meta(ge=0)]
S = TypeVar("S", bound=msgspec.Struct)


class Word(msgspec.Struct, forbid_unknown_fields=True):
    """What a subscriber says of itself."""

    url: str
    log: str | None = None
    after: Position = 0
    stopping: bool = False
    ephemeral: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Pause(msgspec.Struct, forbid_unknown_fields=True):
    """Hold a subscriber, or let it go on."""

    paused: bool


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """How many events to deliver."""

    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class Rewind(msgspec.Struct, forbid_unknown_fields=True):
    """How far to replay after forgetting."""

    to: Position = 0


def read_body(shape: type[S]) -> S:
    """Read the request's JSON object as this shape. Raises `ApiError` 422."""
    try:
        return msgspec.convert(json_object(), shape)
    except msgspec.ValidationError as error:
        raise ApiError(422, f"{error}.") from None


def add_subscriber_routes(app: Flask, log: Log, subscribers: Subscribers, deliveries: Deliveries, guard: Guard) -> None:
    """Add what registers, shows and controls subscribers."""

    def controls(name: str) -> Controls:
        subscriber = subscribers.find(name)
        if not log.store.keeps:
            raise ApiError(409, "This bus keeps no events, so nobody can be held or sent back (EVENT_STORE=none).")
        return Controls(subscriber, log)

    @app.get("/subscribers")
    def list_subscribers() -> dict[str, Any]:
        """Show who listens, keyed by name."""
        return {subscriber.name: subscriber.describe() for subscriber in subscribers}

    @app.get("/subscribers/<name>")
    def show_subscriber(name: str) -> dict[str, Any]:
        """Show one subscriber."""
        return subscribers.find(name).describe()

    @app.put("/subscribers/<name>")
    def register(name: str) -> dict[str, Any]:
        """Take a subscriber's word for where it lives and how far it is: register, heartbeat and correction in one."""
        if not log.store.keeps:
            raise ApiError(404, "This bus keeps no events, so nobody can register (EVENT_STORE=none).")
        word = read_body(Word)
        guard.check_address(word.url)
        if word.stopping:
            with log.grown:
                subscribers.get(name).say_goodbye()
        else:
            subscribers.register(name, word.url.rstrip("/"), word.log, word.after, word.ephemeral)
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

    @app.patch("/subscribers/<name>")
    def hold(name: str) -> dict[str, Any]:
        """Pause a subscriber, or let it go on; answer once the delivery under way has ended."""
        pause = read_body(Pause).paused
        return controls(name).pause() if pause else controls(name).resume()

    @app.post("/subscribers/<name>/step")
    def step(name: str) -> dict[str, int]:
        """Deliver the next events to a paused subscriber."""
        return controls(name).step(min(read_body(Step).count, MOST_STEPS))

    @app.post("/subscribers/<name>/rewind")
    def rewind(name: str) -> dict[str, Any]:
        """Let a subscriber forget, and replay it."""
        return controls(name).rewind(read_body(Rewind).to)

    @app.get("/subscribers/<name>/state")
    def look_back(name: str) -> Response:
        """Ask a subscriber for its state, now or as it was `at` an event, without the events in `skip`."""
        return ask(name, "/state")

    @app.get("/subscribers/<name>/changes")
    def show_changes(name: str) -> Response:
        """Ask a subscriber what changed in its state between two events."""
        return ask(name, "/changes")

    @app.get("/subscribers/<name>/handlers")
    def show_handlers(name: str) -> Response:
        """Ask a subscriber which function handles which type of event."""
        return ask(name, "/handlers")

    def ask(name: str, path: str) -> Response:
        subscriber = subscribers.find(name)
        for field in ("at", "from", "to"):
            position = whole_number(field, request.args)
            if position is not None and position > log.head:
                raise ApiError(422, f"The log ends at {log.head}; {position} is beyond it.", field)
        try:
            with session.request(
                "GET",
                f"{subscriber.url}{path}",
                params=request.args.to_dict(),
                headers=HEADERS,
                timeout=LOOK_BACK,
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = read_answer(answer, LONGEST_STATE, time.monotonic() + sum(LOOK_BACK))
        except (requests.RequestException, EndlessAnswer) as error:
            raise ApiError(503, f"{name} is down; start it to look.", headers={"Retry-After": "2"}) from error
        if answer.headers.get("Content-Type") != "application/json":
            # A page from there would be a page of ours: it could press every button of the console.
            raise ApiError(503, f"{name} does not answer as a service of the blog does.", headers={"Retry-After": "2"})
        return Response(body, answer.status_code, mimetype="application/json")

    @app.get("/deliveries")
    def show_deliveries() -> Response:
        """Follow the deliveries: every one tried, to whom, how it ended, how long it took."""
        return follow_deliveries(deliveries, app.extensions["minibus"].stopping.is_set)
