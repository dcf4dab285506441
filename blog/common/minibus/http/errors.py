"""The one shape of every error: `{"errors": [{"message", "field"}]}`."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

logger = logging.getLogger(__name__)

HINTS = {
    400: "The body cannot be read as JSON.",
    404: "There is nothing at this address.",
    405: "This address does not accept that method.",
    413: "The body is too large.",
    415: "Send JSON, with Content-Type: application/json.",
}


class ApiError(Exception):
    """An error response: an HTTP status, a message for people, and the field at fault if there is one."""

    def __init__(
        self, status: int, message: str, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.headers = headers or {}


class Unavailable(ApiError):
    """503 with `Retry-After`: another part is away, and the client may try again in some seconds."""

    def __init__(self, message: str) -> None:
        super().__init__(503, message, headers={"Retry-After": "2"})


def error_response(status: int, message: str, field: str | None = None) -> Response:
    """Build a response in the one shape."""
    error = {"message": message} | ({"field": field} if field else {})
    response = jsonify(errors=[error])
    response.status_code = status
    return response


def install_errors(app: Flask) -> None:
    """Answer every failure of this app in the one shape, unknown routes and malformed JSON too."""

    @app.errorhandler(ApiError)
    def rejected(error: ApiError) -> Response:
        response = error_response(error.status, str(error), error.field)
        response.headers.update(error.headers)
        return response

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Response:
        status = error.code or 500
        response = error_response(status, HINTS.get(status) or error.description or error.name)
        # Keep the headers that belong to the status, such as Allow with 405.
        for name, value in error.get_headers():
            if name != "Content-Type":
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def broke(error: Exception) -> Response:
        logger.exception("unexpected failure")
        return error_response(500, "This part failed unexpectedly; its output has the traceback.")
