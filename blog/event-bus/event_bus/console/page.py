"""The console: a page that shows what happens, what happened, and what each service made of it."""

from __future__ import annotations

from flask import Flask, Response, render_template, request
from minibus.bus.token import TOKEN
from minibus.http.errors import ApiError
from minibus.http.fields import json_object
from minibus.http.guard import COOKIE, is_token
from minibus.http.page import protect_page

from event_bus.console.whiteboard import follow_everything, ticks
from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscribers import Subscribers
from event_bus.log.log import Log


def add_console(app: Flask, log: Log, subscribers: Subscribers, deliveries: Deliveries) -> None:
    """Add the page, and what only the page asks for."""

    @app.get("/")
    def console() -> Response:
        """Show the console."""
        return protect_page(Response(render_template("console.html")))

    @app.post("/session")
    def enter() -> Response:
        """Take the bus's token from a person, and keep it in a cookie that no script can read."""
        token = json_object().get("token")
        if not (isinstance(token, str) and is_token(token)):
            raise ApiError(401, "That is not this bus's token.", "token", {"WWW-Authenticate": "Bearer"})
        response = Response(status=204)
        if TOKEN:
            response.set_cookie(COOKIE, TOKEN, httponly=True, samesite="Strict", secure=request.is_secure)
        return response

    @app.get("/whiteboard")
    def whiteboard() -> Response:
        """Follow everything that the whiteboard draws."""
        return follow_everything(log, deliveries, subscribers, app.extensions["minibus"].stopping.is_set)

    @app.get("/whiteboard/ticks")
    def strip() -> dict[str, object]:
        """Show the types of events all along the log."""
        return ticks(log)
