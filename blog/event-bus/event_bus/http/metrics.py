"""The bus's metrics, in Prometheus's text format."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, Response
from minibus.core.event import Envelope
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from event_bus.delivery.deliveries import Deliveries, Delivery
from event_bus.delivery.subscribers import Subscribers
from event_bus.log.log import Log

# Every counter begins when the process starts, which Prometheus knows already.
disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)
MOST_TYPES = 100  # event types with their own label; publishers may invent any number
STATES = ("live", "replaying", "paused", "down")


class Metrics:
    """Counts and times, in a registry of its own, so that tests can run several buses."""

    def __init__(self, log: Log, deliveries: Deliveries, subscribers: Subscribers) -> None:
        self.registry = CollectorRegistry()
        self._types: set[str] = set()
        self._events = Counter("minibus_events", "Events published, by type.", ["type"], registry=self.registry)
        self._append = Histogram(
            "minibus_append_seconds",
            "From publish to durable, for each request.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._group = Histogram("minibus_group_events", "Events in one commit.", buckets=SIZES, registry=self.registry)
        self._delivery = Histogram(
            "minibus_delivery_seconds", "One delivery.", ["subscriber"], buckets=SECONDS, registry=self.registry
        )
        log.on_commit = self._group.observe
        deliveries.watchers.append(self._note_delivery)
        self.registry.register(SubscriberCollector(subscribers))

    def note_append(self, events: list[Envelope], seconds: float) -> None:
        """Count published events, and the seconds until they were durable."""
        self._append.observe(seconds)
        for event in events:
            name = event["type"]
            if name in self._types or len(self._types) < MOST_TYPES:
                self._types.add(name)
            else:
                name = "other"
            self._events.labels(name).inc()

    def show(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self.registry)

    def _note_delivery(self, delivery: Delivery) -> None:
        self._delivery.labels(delivery.subscriber).observe(delivery.milliseconds / 1000)


class SubscriberCollector(Collector):
    """Read the subscribers at each request for metrics."""

    def __init__(self, subscribers: Subscribers) -> None:
        self._subscribers = subscribers

    def collect(self) -> Iterator[Metric]:
        """Yield position, lag, parked events and state of every subscriber."""
        position = GaugeMetricFamily("minibus_position", "The last event applied.", labels=["subscriber"])
        lag = GaugeMetricFamily("minibus_lag_events", "Events not applied yet.", labels=["subscriber"])
        parked = GaugeMetricFamily(
            "minibus_parked_events", "Events parked, because the handler raises.", labels=["subscriber"]
        )
        state = GaugeMetricFamily("minibus_state", "1 for the current state, else 0.", labels=["subscriber", "state"])
        for subscriber in self._subscribers:
            now = subscriber.describe()
            position.add_metric([subscriber.name], now["position"])
            lag.add_metric([subscriber.name], now["lag"])
            parked.add_metric([subscriber.name], len(now["parked"]))
            for name in STATES:
                state.add_metric([subscriber.name, name], float(now["state"] == name))
        yield from (position, lag, parked, state)


def add_metrics_route(app: Flask, metrics: Metrics) -> None:
    """Add the route that Prometheus reads."""

    @app.get("/metrics")
    def show_metrics() -> Response:
        """Show the metrics in Prometheus's text format."""
        return Response(metrics.show(), mimetype="text/plain; version=0.0.4; charset=utf-8")
