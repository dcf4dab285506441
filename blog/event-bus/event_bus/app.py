"""The event bus: a log, those who listen to it, and HTTP around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flask import Flask, Response, request
from minibus.core.event import BadEvent
from minibus.http.app import create_app
from minibus.http.errors import error_response

from event_bus import console
from event_bus.console.page import add_console
from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscribers import Subscribers
from event_bus.http.events import add_event_routes
from event_bus.http.guard import Guard, split
from event_bus.http.metrics import Metrics
from event_bus.http.subscribers import add_subscriber_routes
from event_bus.log.file import add_log_routes
from event_bus.log.log import Log
from event_bus.log.store import Store, StoreError

# The addresses of the course, which get every event as the course's bus sends it until they register.
COURSE = "posts=http://127.0.0.1:4000,comments=http://127.0.0.1:4001,query=http://127.0.0.1:4002"
COURSE += ",moderation=http://127.0.0.1:4003"


def create_bus(store: Store, listed: Mapping[str, str], guard: Guard) -> Flask:
    """Make the app of a bus with this store and these listed subscribers (name → address)."""
    app = create_app("event-bus", root_path=str(Path(console.__file__).parent), static_folder="static")
    guard.install(app)
    log = Log(store)
    deliveries = Deliveries()
    metrics = Metrics(log, deliveries)
    subscribers = Subscribers(log, deliveries, listed)
    metrics.watch(subscribers)
    add_event_routes(app, log, metrics)
    add_log_routes(app, log)
    add_subscriber_routes(app, log, subscribers, deliveries, guard)
    add_console(app, log, subscribers, deliveries)
    app.extensions["minibus"].on_stop += [subscribers.close, log.wake, deliveries.wake]

    @app.get("/metrics")
    def show_metrics() -> Response:
        """Show the metrics in Prometheus's text format."""
        return Response(metrics.show(), mimetype="text/plain; version=0.0.4; charset=utf-8")

    @app.errorhandler(BadEvent)
    def bad_event(error: BadEvent) -> Response:
        return error_response(422, str(error), error.field)

    @app.errorhandler(StoreError)
    def not_stored(error: StoreError) -> Response:
        response = error_response(503, f"{'The log' if request.method == 'GET' else 'Nothing was stored'}: {error}.")
        response.headers["Retry-After"] = "2"
        return response

    return app


def read_listed(setting: str) -> dict[str, str]:
    """Read `name=url,name=url`. Raises `ValueError` with what is wrong."""
    listed = {}
    for entry in split(setting):
        name, _, url = entry.partition("=")
        if not (name and url.startswith(("http://", "https://"))):
            raise ValueError(f"SUBSCRIBERS has {entry!r}; it lists name=url, such as query=http://127.0.0.1:4002")
        listed[name] = url.rstrip("/")
    return listed
