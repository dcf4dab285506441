"""Hold a subscriber, let it take single steps, send it back: what an instructor does in front of a class."""

from __future__ import annotations

from typing import Any

import requests
from minibus.bus import session
from minibus.bus.token import HEADERS
from minibus.http.errors import ApiError

from event_bus.delivery.subscriber import Subscriber
from event_bus.log.log import Log

PATIENCE = 15.0  # seconds for a delivery under way, or for the steps asked for
FORGET = (1.0, 5.0)  # seconds to connect, and for the answer


class Controls:
    """The controls of one subscriber. One at a time: what several people ask is done one after the other."""

    def __init__(self, subscriber: Subscriber, log: Log) -> None:
        self.subscriber = subscriber
        self.log = log

    def pause(self) -> dict[str, Any]:
        """Go no further; answer once the delivery under way has ended."""
        subscriber = self._counting()
        with self.log.grown:
            if not subscriber.paused:
                subscriber.limit = subscriber.position
            self.log.grown.wait_for(lambda: not subscriber.busy, PATIENCE)
            return subscriber.describe()

    def resume(self) -> dict[str, Any]:
        """Go on; what was missed meanwhile counts as a replay."""
        subscriber = self._counting()
        with self.log.grown:
            subscriber.limit, subscriber.target = None, self.log.head
            self.log.grown.notify_all()
            return subscriber.describe()

    def step(self, count: int) -> dict[str, int]:
        """Deliver the next events to a paused subscriber; fewer at the head. Raises `ApiError` 409, 503."""
        subscriber = self._counting()
        with subscriber.control, self.log.grown:
            if subscriber.limit is None:
                raise ApiError(409, f"{subscriber.name} is not paused; pause it to step.")
            # After a restart it is first replayed to where it was paused.
            self._reach(subscriber.limit)
            begin = subscriber.position
            self._reach(min(begin + count, self.log.head))
            return {"position": subscriber.position, "delivered": subscriber.position - begin}

    def rewind(self, to: int) -> dict[str, Any]:
        """Let the subscriber forget, and replay it up to `to`; there it stays if it was paused. Raises 422, 503."""
        subscriber = self._counting()
        if to > self.log.head:
            raise ApiError(422, f"The log ends at {self.log.head}; {to} is beyond it.", "to")
        with subscriber.control:
            was_paused = subscriber.paused
            self.pause()
            try:
                with session.request(
                    "DELETE",
                    f"{subscriber.url}/events",
                    headers=HEADERS,
                    timeout=FORGET,
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    answer.raise_for_status()
            except requests.RequestException as error:
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
        """Let a paused subscriber go as far as this, and wait until it is there. Called with the lock held."""
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

    def _counting(self) -> Subscriber:
        if self.subscriber.mode == "listed":
            why = "is listed: it does not say how far it is, so it cannot be held or sent back"
            raise ApiError(409, f"{self.subscriber.name} {why}.")
        return self.subscriber

    def _down(self) -> ApiError:
        at = f"{self.subscriber.position} of {self.log.head}"
        message = f"{self.subscriber.name} is down at {at}; start it and try again."
        return ApiError(503, message, headers={"Retry-After": "2"})
