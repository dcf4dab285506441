"""Wire the parts of the event bus together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from minibus.http.app import create_app

from event_bus import console
from event_bus.console.page import add_console
from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscribers import Subscribers
from event_bus.http.controls import add_control_routes
from event_bus.http.errors import install_log_errors
from event_bus.http.events import add_event_routes
from event_bus.http.guard import Guard
from event_bus.http.log_file import add_log_file_routes
from event_bus.http.look_back import add_look_back_routes
from event_bus.http.metrics import Metrics, add_metrics_route
from event_bus.http.streams import add_delivery_stream
from event_bus.http.subscribers import add_subscriber_routes
from event_bus.log.log import Log
from event_bus.log.store.interface import Store


def create_bus(store: Store, listed: Mapping[str, str], guard: Guard) -> Flask:
    """Make the app of a bus with this store and these listed subscribers (name → URL)."""
    app = create_app("event-bus", root_path=str(Path(console.__file__).parent), static_folder="static")
    guard.install(app)
    install_log_errors(app)
    log = Log(store)
    deliveries = Deliveries()
    subscribers = Subscribers(log, deliveries, listed)
    metrics = Metrics(log, deliveries, subscribers)
    add_event_routes(app, log, metrics)
    add_log_file_routes(app, log)
    add_subscriber_routes(app, log, subscribers, guard)
    add_control_routes(app, log, subscribers)
    add_look_back_routes(app, log, subscribers)
    add_delivery_stream(app, deliveries)
    add_metrics_route(app, metrics)
    add_console(app, log, subscribers, deliveries)
    app.extensions["minibus"].on_stop += [subscribers.close, log.wake, deliveries.wake]
    return app
