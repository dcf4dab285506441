"""What the bus knows of one subscriber: where it lives, how far it is, how far it may go. No I/O here."""

from __future__ import annotations

import threading
import time
from typing import Any

from event_bus.log.log import Log

SILENCE = 5.0  # seconds without a word after which a registered subscriber counts as down
TRIES = 3  # refusals of the same event before it is parked


class Subscriber:
    """A service that listens. Everything here is guarded by `log.grown`, and notified with it.

    **Listed**, the course's way: it gets each event once, alone, and nobody asks what became of it.
    **Registered**: it gets the log in order, in batches, and says how far it is.
    """

    def __init__(self, name: str, url: str, log: Log) -> None:
        self.name = name
        self.url = url
        self.log = log
        self.control = threading.RLock()  # whoever holds it steps or rewinds; the others wait
        self.mode = "listed"
        self.position = log.head
        self.limit: int | None = None  # where a paused subscriber stops; never behind its position
        self.target = 0  # the head when it came: up to there it is replaying
        self.heard = 0.0
        self.said_goodbye = False
        self.ephemeral: float | None = None  # seconds of silence after which it is forgotten
        self.reachable = False
        self.last_error: str | None = None
        self.parked: set[int] = set()
        self.busy = False  # a delivery is under way
        self.gone = False
        self.failures = 0  # deliveries that were not answered well
        self.registrations = 0
        self._refused = (0, 0)  # which event, how often in a row

    @property
    def paused(self) -> bool:
        """Whether it goes no further until somebody says so."""
        return self.limit is not None

    @property
    def left(self) -> bool:
        """Whether it said goodbye, or nothing for longer than a subscriber of ours does."""
        return self.said_goodbye or time.monotonic() - self.heard > SILENCE

    @property
    def horizon(self) -> int:
        """How far it may go now."""
        return self.log.head if self.limit is None else min(self.limit, self.log.head)

    @property
    def state(self) -> str:
        """`down`, `paused`, `replaying` (what is not new), or `live`."""
        if not self.reachable or (self.mode == "registered" and self.left):
            return "down"
        if self.paused:
            return "paused"
        return "replaying" if self.replays(self.position + 1) else "live"

    def replays(self, seq: int) -> bool:
        """Whether this event was there before the subscriber came, or came in with an imported log."""
        return seq <= max(self.target, self.log.imported)

    def describe(self) -> dict[str, Any]:
        """Tell everything, as JSON."""
        return {
            "name": self.name,
            "url": self.url,
            "mode": self.mode,
            "position": self.position,
            "lag": self.log.head - self.position,
            "state": self.state,
            "paused": self.paused,
            "last_error": self.last_error,
            "parked": sorted(self.parked),
        }

    # -- what it says of itself ---------------------------------------------------------------------------------

    def register(self, url: str, log_id: str | None, after: int) -> None:
        """Take its word for where it stands; another log, or beyond the head: 0."""
        if log_id != self.log.id:
            # It has just started, so it may be mended: what was parked is tried again.
            self.parked.clear()
        if log_id != self.log.id or after > self.log.head:
            after = 0
        if after < self.position or self.mode == "listed" or not self.reachable:
            self.target = self.log.head
        self.mode, self.url = "registered", url
        self.registrations += 1
        self._go_to(after)
        self._heard_well()

    def say_goodbye(self) -> None:
        """Note that it stops now."""
        self.said_goodbye = True
        self.reachable, self.last_error = False, "it said goodbye"
        self.failures += 1
        self.log.grown.notify_all()

    # -- what deliveries tell -----------------------------------------------------------------------------------

    def acknowledge(self, position: int) -> None:
        """It has applied everything up to this position; if that is further back, it is replayed from there."""
        if position < self.position:
            self.target = self.log.head
        self._go_to(min(position, self.log.head))
        self._heard_well()

    def refuse(self, position: int, seq: int, error: str) -> bool:
        """It could not apply this event; park the event when that was said often enough. Return whether it was."""
        self.acknowledge(position)
        self.last_error = f"refused event {seq}: {error}"
        self._refused = (seq, self._refused[1] + 1 if self._refused[0] == seq else 1)
        if self._refused[1] < TRIES:
            return False
        self._refused = (0, 0)
        self.parked.add(seq)
        return True

    def fail(self, error: str) -> None:
        """A delivery was not answered, or by no subscriber of ours."""
        self.reachable, self.last_error = False, error
        self.failures += 1
        self.log.grown.notify_all()

    def fall_back(self) -> None:
        """Something else lives at its address, that does not count: go on in the course's way."""
        self.mode, self.limit = "listed", None
        self._heard_well()

    def pass_by(self, error: str | None) -> None:
        """A listed subscriber had its one chance to hear the next event."""
        self._go_to(self.position + 1)
        self._heard_well()
        if error:
            self.fail(error)

    def forget(self) -> None:
        """It has forgotten everything, because we asked it to."""
        self.parked.clear()
        self.position, self.target = 0, self.log.head

    def _go_to(self, position: int) -> None:
        self.position = position
        if self.limit is not None:
            self.limit = max(self.limit, position)

    def _heard_well(self) -> None:
        self.reachable, self.last_error, self.heard = True, None, time.monotonic()
        self.said_goodbye = False
        self.log.grown.notify_all()
