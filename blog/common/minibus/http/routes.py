"""The routes that every service has: deliveries from the bus, and probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, jsonify, request

from minibus.bus.client import BusRefused
from minibus.bus.link import HOPELESS
from minibus.core.event import BadEvent, check
from minibus.core.replica import Gap, HandlerFailed
from minibus.http.errors import ApiError, Unavailable, error_response
from minibus.http.fields import whole_number, whole_numbers
from minibus.http.guard import require_token

if TYPE_CHECKING:
    from minibus.service import Service

PRIVATE = {"/events", "/state", "/changes", "/handlers"}
MAX_DELIVERY_BYTES = 2 * 1024 * 1024


def install(service: Service) -> None:
    """Add the shared routes to the service's app."""
    app, replica = service.app, service.replica

    @app.before_request
    def check_token() -> None:
        """Take events, and questions about the state, only from who shows the token."""
        if request.path in PRIVATE:
            require_token()

    @app.post("/events")
    def receive() -> Any:
        """Take one event or a batch from the bus; answer with the position that is applied."""
        request.max_content_length = MAX_DELIVERY_BYTES
        body = request.get_json()
        events = [check(event) for event in (body if isinstance(body, list) else [body])]
        head = whole_number("Minibus-Head", request.headers) or 0
        skip = whole_numbers("Minibus-Skip", request.headers) if "Minibus-Skip" in request.headers else None
        # Everything is read before anything changes: what is refused leaves no trace.
        if log := request.headers.get("Minibus-Log"):
            replica.meet(log, head)
        replica.receive(events, skip)
        counted = isinstance(body, list) or "seq" in body
        return {"position": replica.position} if counted else {}

    @app.delete("/events")
    def forget() -> dict[str, int]:
        """Forget everything: the bus replays."""
        with service.link.speaking:
            # Or an earlier word of ours, still on its way, would contradict us.
            replica.forget()
        return {"position": 0}

    @app.get("/readyz")
    def readyz() -> Any:
        """Say whether this service has caught up once since it started."""
        if replica.ever_caught_up:
            return {"status": "OK", "position": replica.position}
        if replica.target is None:
            return error_response(503, f"Waiting for the event bus at {service.bus.url}.")
        return error_response(503, f"Catching up: {replica.position} of {replica.target}.")

    @app.errorhandler(BadEvent)
    def bad_event(error: BadEvent) -> Response:
        return error_response(422, str(error), error.field)

    @app.errorhandler(Gap)
    def gap(error: Gap) -> tuple[Response, int]:
        errors = [{"message": f"Event {error.position + 1} has to come first."}]
        return jsonify(errors=errors, position=error.position), 409

    @app.errorhandler(HandlerFailed)
    def handler_failed(error: HandlerFailed) -> tuple[Response, int]:
        service.link.log.error("cannot apply event %s: %s", error.seq, error)
        errors = [{"message": f"The handler of event {error.seq} raised {error}."}]
        return jsonify(errors=errors, position=error.position, refused=error.seq, error=str(error)), 422


def refusal(error: BusRefused) -> ApiError:
    """Say what the bus refuses: the event, which is for who sent it, or this service, which is ours to mend (503)."""
    if error.status in HOPELESS:
        return ApiError(error.status, f"The event bus refuses this: {error}")
    return Unavailable(f"The event bus refuses this service: {error}")
