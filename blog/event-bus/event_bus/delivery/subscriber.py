"""What the bus knows of one subscriber: its URL, its position, its state. No I/O here."""

from __future__ import annotations

import threading
import time
from typing import Any

from event_bus.log.log import Log

SILENCE = 5.0  # seconds without a registration or an acknowledgement, after which a registered subscriber is down
TRIES = 3  # refusals of the same event before it is parked


class Subscriber:
    """A service that receives events. `log.grown` guards every attribute, and is notified of each change.

    `mode` is `registered` or `listed`. A registered subscriber gets the log in order, in batches, and answers with its
    position. A listed one, the course's way, gets each event once, and its `position` is the last event sent to it.
    """

    def __init__(self, name: str, url: str, log: Log) -> None:
        self.name = name
        self.url = url
        self.log = log
        self.control = threading.RLock()  # held during a step or a rewind, so that the next one waits
        self.mode = "listed"
        self.position = log.head
        self.limit: int | None = None  # the last event that a paused subscriber may get; never before its position
        self.target = 0  # the head at its registration: deliveries up to this seq count as replays
        self.last_seen = 0.0
        self.disconnected = False
        self.ephemeral: float | None = None  # seconds of silence after which the bus removes the subscriber
        self.reachable = False
        self.last_error: str | None = None
        self.parked: set[int] = set()
        self.busy = False  # a delivery is under way
        self.gone = False
        self.failures = 0  # deliveries that failed
        self.registrations = 0
        self._refused = (0, 0)  # the event that was refused last, and how often in a row

    @property
    def paused(self) -> bool:
        """Whether deliveries stop at `limit` until an instructor resumes them."""
        return self.limit is not None

    @property
    def silence(self) -> float:
        """Seconds since the last registration or acknowledgement."""
        return time.monotonic() - self.last_seen

    @property
    def left(self) -> bool:
        """Whether a registered subscriber has disconnected, or has been silent for longer than 5 s."""
        return self.mode == "registered" and (self.disconnected or self.silence > SILENCE)

    @property
    def vanished(self) -> bool:
        """Whether an ephemeral subscriber has been silent for too long, so that the bus removes it."""
        return self.ephemeral is not None and self.silence > self.ephemeral

    @property
    def horizon(self) -> int:
        """The last event that may be delivered now."""
        return self.log.head if self.limit is None else min(self.limit, self.log.head)

    @property
    def state(self) -> str:
        """`down`, `paused`, `replaying` (the next event is a replay), or `live`."""
        if not self.reachable or self.left:
            return "down"
        if self.paused:
            return "paused"
        return "replaying" if self.replays(self.position + 1) else "live"

    def replays(self, seq: int) -> bool:
        """Whether this event was in the log before the subscriber registered, or was imported."""
        return seq <= max(self.target, self.log.imported)

    def describe(self) -> dict[str, Any]:
        """Return everything that the bus shows of this subscriber."""
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

    # -- registrations ------------------------------------------------------------------------------------------

    def register(self, url: str, log_id: str | None, after: int) -> None:
        """Apply a registration: go to position `after`, or to 0 if that is in another log or beyond the head."""
        if log_id != self.log.id:
            # The service has just started, maybe with a corrected handler: deliver its parked events again.
            self.parked.clear()
        if log_id != self.log.id or after > self.log.head:
            after = 0
        if after < self.position or self.mode == "listed" or not self.reachable:
            self.target = self.log.head
        self.mode, self.url = "registered", url
        self.registrations += 1
        self._go_to(after)
        self._mark_up()

    def disconnect(self) -> None:
        """Mark the subscriber as down: its service says that it stops."""
        self.disconnected = True
        self.fail("the service has stopped")

    # -- results of deliveries ----------------------------------------------------------------------------------

    def acknowledge(self, position: int) -> None:
        """Go to the position that the subscriber has applied. A lower one starts a replay from there."""
        if position < self.position:
            self.target = self.log.head
        self._go_to(min(position, self.log.head))
        self._mark_up()

    def refuse(self, position: int, seq: int, error: str) -> bool:
        """Count a refusal of event `seq`, and park the event after three in a row. Return whether it is parked."""
        self.acknowledge(position)
        self.last_error = f"refused event {seq}: {error}"
        self._refused = (seq, self._refused[1] + 1 if self._refused[0] == seq else 1)
        if self._refused[1] < TRIES:
            return False
        self._refused = (0, 0)
        self.parked.add(seq)
        return True

    def fail(self, error: str) -> None:
        """Mark the subscriber as down."""
        self.reachable, self.last_error = False, error
        self.failures += 1
        self.log.grown.notify_all()

    def pass_by(self, error: str | None = None) -> None:
        """Go on after the next event, which a listed subscriber got, or lost with this error."""
        self._go_to(self.position + 1)
        self._mark_up()
        if error:
            self.fail(error)

    def become_listed(self) -> None:
        """Deliver in the course's way from now on; that ends a pause."""
        self.mode, self.limit, self.ephemeral = "listed", None, None
        self._mark_up()

    # -- controls -----------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Go to position 0: the service has forgotten its state."""
        self.parked.clear()
        self.position, self.target = 0, self.log.head

    def _go_to(self, position: int) -> None:
        self.position = position
        if self.limit is not None:
            self.limit = max(self.limit, position)

    def _mark_up(self) -> None:
        self.reachable, self.last_error, self.last_seen = True, None, time.monotonic()
        self.disconnected = False
        self.log.grown.notify_all()
