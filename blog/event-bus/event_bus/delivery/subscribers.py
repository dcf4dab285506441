"""The subscribers of the bus, by name. In memory only: each service registers again every 2 s."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping

from minibus.http.errors import ApiError

from event_bus.delivery.courier import Courier
from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscriber import Subscriber
from event_bus.log.log import Log

logger = logging.getLogger("event-bus")


class Subscribers:
    """All subscribers, each with its courier. `listed` (name → URL) get events in the course's way."""

    def __init__(self, log: Log, deliveries: Deliveries, listed: Mapping[str, str]) -> None:
        self._log = log
        self._deliveries = deliveries
        self._by_name: dict[str, Subscriber] = {}
        for name, url in listed.items():
            self._add(Subscriber(name, url, log))

    def __iter__(self) -> Iterator[Subscriber]:
        self._remove_vanished()
        return iter(sorted(self._by_name.values(), key=lambda subscriber: subscriber.name))

    def get(self, name: str) -> Subscriber:
        """Return the subscriber of this name. Raises `ApiError` 404."""
        self._remove_vanished()
        if name not in self._by_name:
            raise ApiError(404, f"There is no subscriber {name}.")
        return self._by_name[name]

    def find(self, name: str) -> Subscriber:
        """Find by name, or by service name if exactly one of its pods is up. Raises `ApiError` 404.

        Each pod of a service registers under its own name, such as `query-7d9f`.
        """
        pods = [subscriber for subscriber in self if subscriber.name.startswith(f"{name}-")]
        up = [pod for pod in pods if pod.state != "down"]
        if name in self._by_name or not pods:
            return self.get(name)
        if len(up) != 1:
            names = ", ".join(pod.name for pod in pods)
            raise ApiError(404, f"There is no subscriber {name}. Name one of its pods: {names}.")
        return up[0]

    def register(self, name: str, url: str, log_id: str | None, after: int, ephemeral: float | None) -> Subscriber:
        """Add a subscriber, or move it to its position. It replaces a listed subscriber at the same URL."""
        if not re.fullmatch("[a-z0-9][a-z0-9.-]{0,127}", name):
            raise ApiError(422, f"{name!r} is not a name: use lower-case letters, digits, dots and dashes.", "name")
        for other in list(self._by_name.values()):
            if other.mode == "listed" and other.url == url and other.name != name:
                self.remove(other.name)
        with self._log.grown:
            subscriber = self._by_name.get(name) or self._add(Subscriber(name, url, self._log))
            was = subscriber.state
            subscriber.register(url, log_id, after)
            subscriber.ephemeral = ephemeral
            if subscriber.state != was:
                logger.info("%s is %s at %d of %d", name, subscriber.state, subscriber.position, self._log.head)
            return subscriber

    def disconnect(self, name: str) -> Subscriber:
        """Mark a subscriber as down: its service says that it stops. Raises `ApiError` 404."""
        with self._log.grown:
            subscriber = self.get(name)
            subscriber.disconnect()
            return subscriber

    def remove(self, name: str) -> None:
        """Remove a subscriber and end its courier. Raises `ApiError` 404."""
        with self._log.grown:
            subscriber = self._by_name.pop(name, None)
            if subscriber is None:
                raise ApiError(404, f"There is no subscriber {name}.")
            subscriber.gone = True
            self._log.grown.notify_all()

    def close(self) -> None:
        """End all deliveries."""
        for name in list(self._by_name):
            self.remove(name)

    def _add(self, subscriber: Subscriber) -> Subscriber:
        self._by_name[subscriber.name] = subscriber
        Courier(subscriber, self._log, self._deliveries)
        return subscriber

    def _remove_vanished(self) -> None:
        for subscriber in list(self._by_name.values()):
            if subscriber.vanished:
                logger.info("%s is removed after %d s of silence", subscriber.name, subscriber.silence)
                self.remove(subscriber.name)
