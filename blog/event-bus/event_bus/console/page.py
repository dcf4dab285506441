"""Serve the console's page and its routes."""

from __future__ import annotations

from flask import Flask, Response, render_template, request
from minibus.bus.token import TOKEN
from minibus.http.errors import ApiError
from minibus.http.fields import json_object
from minibus.http.guard import COOKIE, is_token
from minibus.http.page import add_theme, protect_page

from event_bus.console.whiteboard import follow_whiteboard, ticks
from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscribers import Subscribers
from event_bus.log.log import Log


def add_console(app: Flask, log: Log, subscribers: Subscribers, deliveries: Deliveries) -> None:
    """Add the page, its sign-in and its streams."""
    add_theme(app)

    @app.get("/")
    def console() -> Response:
        """Show the console."""
        return protect_page(Response(render_template("console.html")))

    @app.post("/session")
    def sign_in() -> Response:
        """Check the token that a person typed, and keep it in a cookie that scripts cannot read."""
        token = json_object().get("token")
        if not (isinstance(token, str) and is_token(token)):
            raise ApiError(401, "This is not the bus's token.", "token", {"WWW-Authenticate": "Bearer"})
        response = Response(status=204)
        if TOKEN:
            response.set_cookie(COOKIE, TOKEN, httponly=True, samesite="Strict", secure=request.is_secure)
        return response

    @app.get("/whiteboard")
    def whiteboard() -> Response:
        """Stream everything that the whiteboard draws."""
        return follow_whiteboard(log, deliveries, subscribers, app.extensions["minibus"].stopping.is_set)

    @app.get("/whiteboard/ticks")
    def show_ticks() -> dict[str, object]:
        """Show the types of events along the whole log."""
        return ticks(log)
