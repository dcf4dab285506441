"""Pause, step and rewind one subscriber, as an instructor does in front of a class."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from minibus.http.errors import ApiError, Unavailable

from event_bus.delivery.service_client import ServiceAway, ServiceClient
from event_bus.delivery.subscriber import Subscriber
from event_bus.log.log import Log

PATIENCE = 15.0  # seconds to wait for a delivery under way, or for the steps of one request


class Controls:
    """The controls of one subscriber. Steps and rewinds of several people run one after the other."""

    def __init__(self, subscriber: Subscriber, log: Log) -> None:
        self.subscriber = subscriber
        self.log = log

    def pause(self) -> dict[str, Any]:
        """Stop deliveries, and wait for the end of one that is under way. Raises `ApiError` 409."""
        subscriber = self._registered()
        with self.log.grown:
            if not subscriber.paused:
                subscriber.limit = subscriber.position
            self.log.grown.wait_for(lambda: not subscriber.busy, PATIENCE)
            return subscriber.describe()

    def resume(self) -> dict[str, Any]:
        """Continue deliveries. Events published during the pause count as a replay. Raises `ApiError` 409."""
        subscriber = self._registered()
        with self.log.grown:
            subscriber.limit, subscriber.target = None, self.log.head
            self.log.grown.notify_all()
            return subscriber.describe()

    def step(self, count: int) -> dict[str, int]:
        """Deliver the next events to a paused subscriber, fewer at the head. Raises `ApiError` 409, 503."""
        subscriber = self._registered()
        with subscriber.control, self.log.grown:
            if subscriber.limit is None:
                raise ApiError(409, f"{subscriber.name} is not paused; pause it before you step.")
            # A service that has restarted is first replayed to the position of its pause.
            self._reach(subscriber.limit)
            begin = subscriber.position
            self._reach(min(begin + count, self.log.head))
            return {"position": subscriber.position, "delivered": subscriber.position - begin}

    def rewind(self, to: int) -> dict[str, Any]:
        """Make the service forget its state, and replay the log up to `to`. A paused one stays there, paused.

        Raises `ApiError` 409, 422, 503.
        """
        subscriber = self._registered()
        if to > self.log.head:
            raise ApiError(422, f"The log ends at {self.log.head}; {to} is beyond it.", "to")
        with subscriber.control:
            was_paused = subscriber.paused
            self.pause()
            try:
                with closing(ServiceClient(subscriber.url)) as service:
                    service.forget()
            except ServiceAway as error:
                if not was_paused:
                    self.resume()
                raise self._down() from error
            with self.log.grown:
                subscriber.forget()
                subscriber.limit = 0
                self._reach(to)
                if not was_paused:
                    self.resume()
                return subscriber.describe()

    def _reach(self, goal: int) -> None:
        """Deliver to a paused subscriber up to `goal`, and wait for it. Called with the lock held. Raises 503."""
        subscriber = self.subscriber
        if subscriber.state == "down":
            raise self._down()
        before, failures = subscriber.limit, subscriber.failures
        subscriber.limit = max(goal, subscriber.position)
        self.log.grown.notify_all()

        def ended() -> bool:
            return subscriber.position >= goal or subscriber.failures != failures or not subscriber.paused

        self.log.grown.wait_for(ended, PATIENCE)
        if subscriber.position < goal and subscriber.paused:
            subscriber.limit = max(before or 0, subscriber.position)
            raise self._down()

    def _registered(self) -> Subscriber:
        """Return the subscriber. Raises `ApiError` 409 if it is listed."""
        if self.subscriber.mode == "listed":
            why = "is listed: it does not answer with a position, so the bus cannot pause, step or rewind it"
            raise ApiError(409, f"{self.subscriber.name} {why}.")
        return self.subscriber

    def _down(self) -> Unavailable:
        at = f"{self.subscriber.position} of {self.log.head}"
        return Unavailable(f"{self.subscriber.name} is down at {at}; start it and try again.")
