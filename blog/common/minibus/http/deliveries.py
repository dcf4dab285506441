"""The routes through which the bus reaches a service: deliveries, forgetting, and the readiness probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request

from minibus.bus.course import CourseBus
from minibus.bus.shared_replica import SharedReplica
from minibus.core.event import BadEvent, check
from minibus.core.replica import Gap, HandlerFailed
from minibus.http.errors import error_response
from minibus.http.fields import whole_number, whole_numbers
from minibus.http.guard import require_token_for

MAX_DELIVERY_BYTES = 2 * 1024 * 1024


def add_delivery_routes(app: Flask, replica: SharedReplica, course: CourseBus, forget: Callable[[], None]) -> None:
    """Add the routes that the bus calls. `forget` empties the replica, back to position 0."""
    require_token_for(app, "/events")

    @app.post("/events")
    def receive() -> Any:
        """Apply one event or a batch from the bus; answer with the position."""
        request.max_content_length = MAX_DELIVERY_BYTES
        body = request.get_json()
        events = [check(event) for event in (body if isinstance(body, list) else [body])]
        head = whole_number("Minibus-Head", request.headers) or 0
        skip = whole_numbers("Minibus-Skip", request.headers) if "Minibus-Skip" in request.headers else None
        # Nothing changes before the whole request is checked: a rejected delivery leaves no trace.
        if log_id := request.headers.get("Minibus-Log"):
            replica.meet(log_id, head)
        position = replica.receive([event for event in events if "seq" in event], skip)
        for event in events:
            if "seq" not in event:
                course.receive(event)
        return {"position": position} if isinstance(body, list) or "seq" in body else {}

    @app.delete("/events")
    def start_over() -> dict[str, int]:
        """Forget everything: the bus replays."""
        forget()
        return {"position": 0}

    @app.errorhandler(BadEvent)
    def bad_event(error: BadEvent) -> Response:
        return error_response(422, str(error), error.field)

    @app.errorhandler(Gap)
    def gap(error: Gap) -> tuple[Response, int]:
        errors = [{"message": f"Event {error.position + 1} must come first."}]
        return jsonify(errors=errors, position=error.position), 409

    @app.errorhandler(HandlerFailed)
    def handler_failed(error: HandlerFailed) -> tuple[Response, int]:
        replica.logger.error("cannot apply event %s: %s", error.seq, error)
        errors = [{"message": f"The handler of event {error.seq} raised {error}."}]
        return jsonify(errors=errors, position=error.position, refused=error.seq, error=str(error)), 422


def add_readiness(app: Flask, replica: SharedReplica, bus_url: str) -> None:
    """Add the readiness probe."""

    @app.get("/readyz")
    def readyz() -> Any:
        """Answer 200 once this service has caught up for the first time since it started."""
        place = replica.core
        if replica.ever_caught_up:
            return {"status": "OK", "position": place.position}
        if place.target is None:
            return error_response(503, f"Waiting for the event bus at {bus_url}.")
        return error_response(503, f"Catching up: {place.position} of {place.target}.")
