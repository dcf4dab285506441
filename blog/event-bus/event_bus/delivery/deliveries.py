"""The last deliveries: which events, to which subscriber, with which result. In memory, bounded."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

HISTORY = 1000  # deliveries


class Delivery(msgspec.Struct, kw_only=True):
    """One delivery of the events `first` to `last`. `number` counts deliveries since the bus started.

    | result | meaning |
    |---|---|
    | `delivered` | the subscriber acknowledged the events |
    | `gap` | the subscriber lacks an event before these; the bus goes back |
    | `refused` | a handler raised |
    | `failed` | no answer, or not the expected one; the bus retries |
    | `listed` | the server does not use positions; the bus falls back to the course's way |
    | `lost` | a listed subscriber did not accept the event |
    | `late` | the subscriber registered during the delivery; its position counts, not the answer |

    `replay`: the events were in the log before the subscriber registered or was rewound.
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
    """Keep the last deliveries, and wake the threads that wait for the next."""

    def __init__(self) -> None:
        self.run = uuid.uuid4().hex[:8]  # a restart of the bus begins a new run, with number 1
        self.changed = threading.Condition(threading.RLock())
        self.count = 0
        self._recent: deque[Delivery] = deque(maxlen=HISTORY)
        self.watchers: list[Callable[[Delivery], None]] = []

    def note(self, delivery: Delivery) -> None:
        """Number and keep a delivery. Wake the threads that wait for it."""
        with self.changed:
            self.count += 1
            delivery.number = self.count
            delivery.time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._recent.append(delivery)
            self.changed.notify_all()
        for watcher in self.watchers:
            watcher(delivery)

    def wait_beyond(self, number: int, seconds: float, stopping: Callable[[], bool]) -> bool:
        """Wait for a delivery after this one, or until `stopping()` is true. Return false after a time-out."""
        with self.changed:
            return self.changed.wait_for(lambda: self.count > number or stopping(), seconds)

    def wake(self) -> None:
        """Wake every waiting thread, so that it checks its condition again."""
        with self.changed:
            self.changed.notify_all()

    def after(self, number: int) -> list[Delivery]:
        """Return the kept deliveries after this number, oldest first."""
        with self.changed:
            return [delivery for delivery in self._recent if delivery.number > number]
