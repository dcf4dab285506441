"""Who listens: kept in memory only, because every subscriber says every 2 s where it stands."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping

from minibus.http.errors import ApiError

from event_bus.delivery.courier import Courier
from event_bus.delivery.deliveries import Deliveries
from event_bus.delivery.subscriber import Subscriber
from event_bus.log.log import Log

logger = logging.getLogger("event-bus")


class Subscribers:
    """The subscribers by name, and a courier for each. `listed` (name → address) get events in the course's way."""

    def __init__(self, log: Log, deliveries: Deliveries, listed: Mapping[str, str]) -> None:
        self._log = log
        self._deliveries = deliveries
        self._by_name: dict[str, Subscriber] = {}
        for name, url in listed.items():
            self._add(Subscriber(name, url, log))

    def __iter__(self) -> Iterator[Subscriber]:
        self._forget_vanished()
        return iter(sorted(self._by_name.values(), key=lambda subscriber: subscriber.name))

    def get(self, name: str) -> Subscriber:
        """Return the subscriber of this name. Raises `ApiError` 404."""
        self._forget_vanished()
        if name not in self._by_name:
            raise ApiError(404, f"There is no subscriber {name}.")
        return self._by_name[name]

    def find(self, name: str) -> Subscriber:
        """Return the subscriber that somebody means: of this name, or the only one of such a service that is up.

        Several pods of one service have a name each, such as `query-7d9f`. Raises `ApiError` 404.
        """
        pods = [subscriber for subscriber in self if subscriber.name.startswith(f"{name}-")]
        up = [pod for pod in pods if pod.state != "down"]
        if name in self._by_name or not pods:
            return self.get(name)
        if len(up) != 1:
            there = ", ".join(pod.name for pod in pods)
            raise ApiError(404, f"There is no subscriber {name}, and it may mean any of these: {there}.")
        return up[0]

    def register(self, name: str, url: str, log: str | None, after: int, ephemeral: float | None) -> None:
        """Take a subscriber in, or note where it stands now. It replaces a listed one at its address."""
        if not re.fullmatch("[a-z0-9][a-z0-9.-]{0,127}", name):
            raise ApiError(422, f"{name!r} is no name: lower-case letters, digits, dots and dashes.", "name")
        for other in list(self._by_name.values()):
            if other.mode == "listed" and other.url == url and other.name != name:
                self.remove(other.name)
        with self._log.grown:
            subscriber = self._by_name.get(name) or self._add(Subscriber(name, url, self._log))
            was = subscriber.state
            subscriber.ephemeral = ephemeral
            subscriber.register(url, log, after)
            if subscriber.state != was:
                logger.info("%s is %s at %d of %d", name, subscriber.state, subscriber.position, self._log.head)

    def remove(self, name: str) -> None:
        """Forget a subscriber. Raises `ApiError` 404."""
        with self._log.grown:
            subscriber = self._by_name.pop(name, None)
            if subscriber is None:
                raise ApiError(404, f"There is no subscriber {name}.")
            subscriber.gone = True
            self._log.grown.notify_all()

    def close(self) -> None:
        """Stop delivering."""
        for name in list(self._by_name):
            self.remove(name)

    def _add(self, subscriber: Subscriber) -> Subscriber:
        self._by_name[subscriber.name] = subscriber
        Courier(subscriber, self._log, self._deliveries)
        return subscriber

    def _forget_vanished(self) -> None:
        """Forget those who said that they would not come back, and do not."""
        for subscriber in list(self._by_name.values()):
            silence = time.monotonic() - subscriber.heard
            if subscriber.mode == "registered" and subscriber.ephemeral and silence > subscriber.ephemeral:
                logger.info("%s has not been heard of for %d s and goes", subscriber.name, silence)
                self.remove(subscriber.name)
