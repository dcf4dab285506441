"""Answer the errors of events and of the store in the one shape."""

from __future__ import annotations

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from minibus.core.event import BadEvent
from minibus.http.errors import Unavailable, error_response

from event_bus.log.store.interface import StoreError


def install_log_errors(app: Flask) -> None:
    """Answer `BadEvent` with 422, and `StoreError` with 503."""

    @app.errorhandler(BadEvent)
    def bad_event(error: BadEvent) -> Response:
        return error_response(422, str(error), error.field)

    @app.errorhandler(StoreError)
    def store_error(error: StoreError) -> ResponseReturnValue:
        what = "The log" if request.method == "GET" else "Nothing was stored"
        return app.handle_user_exception(Unavailable(f"{what}: {error}."))
