"""The record of deliveries: every one that was tried, to whom, how it ended, how long it took. Bounded."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

HISTORY = 1000  # deliveries


class Delivery(msgspec.Struct, kw_only=True):
    """A delivery of the events `first` to `last`. Its `number` counts deliveries since the bus started.

    `result`: `delivered`; `gap` (it asked to go back); `refused` (a handler raised); `failed` (no good answer, tried
    again); `listed` (something that does not count answered); `lost` (a listed subscriber missed it); `late` (it had
    spoken for itself meanwhile). `replay`: it had all been in the log before the subscriber came, or was sent back.
    """

    subscriber: str
    first: int
    last: int
    result: str
    error: str | None
    milliseconds: float
    replay: bool = False
    number: int = 0
    time: str = ""


class Deliveries:
    """The last deliveries, and those who wait for the next."""

    def __init__(self) -> None:
        self.run = uuid.uuid4().hex[:8]  # numbers start again when the bus does
        self.changed = threading.Condition(threading.RLock())
        self.count = 0
        self._recent: deque[Delivery] = deque(maxlen=HISTORY)
        self.watchers: list[Callable[[Delivery], None]] = []

    def note(self, delivery: Delivery) -> None:
        """Keep a delivery, and tell those who wait."""
        with self.changed:
            self.count += 1
            delivery.number = self.count
            delivery.time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._recent.append(delivery)
            self.changed.notify_all()
        for watcher in self.watchers:
            watcher(delivery)

    def wait_beyond(self, number: int, seconds: float, stopping: Callable[[], bool]) -> bool:
        """Wait for a delivery after this one, or until all ends; return false when the time is up."""
        with self.changed:
            return self.changed.wait_for(lambda: self.count > number or stopping(), seconds)

    def wake(self) -> None:
        """Let those who wait look again."""
        with self.changed:
            self.changed.notify_all()

    def after(self, number: int) -> list[Delivery]:
        """Return the deliveries after this one, as far back as they are kept."""
        with self.changed:
            return [delivery for delivery in self._recent if delivery.number > number]
