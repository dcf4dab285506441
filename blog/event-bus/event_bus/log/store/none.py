"""none: the course's first bus. Events go out once; nothing is kept but what the couriers have yet to carry."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from event_bus.log.store import EVERYTHING, PAGE_EVENTS, Only, Record, Stored, StoreError

if TYPE_CHECKING:
    from minibus.core.event import Envelope

IN_FLIGHT = 1000  # events; a subscriber that is further behind has missed what fell out


class NoStore:
    """A window on the last events, without their `seq`: nobody can ask for them again."""

    keeps = False

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._window: deque[Record] = deque(maxlen=IN_FLIGHT)
        self._head = 0

    @property
    def head(self) -> int:
        """The number of events that went by."""
        return self._head

    def append(self, events: list[Envelope]) -> list[Stored]:
        """Let these events go by."""
        stored = []
        for event in events:
            self._head += 1
            body = msgspec.json.encode({name: value for name, value in event.items() if name != "seq"})
            self._window.append(Record(self._head, body))
            stored.append(Stored(self._head, event["id"]))
        return stored

    def load(self, events: Iterable[Envelope]) -> int:
        """Refuse: there is no log to fill."""
        raise StoreError("this bus keeps no events")

    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        """Return the next events after this position that have not fallen out."""
        return [record for record in self._window if record.seq > after][:limit]

    def types(self, numbers: Sequence[int]) -> list[str]:
        """Nobody can ask for what went by."""
        return []

    def all_types(self) -> list[str]:
        """Nobody can ask for what went by."""
        return []

    def close(self) -> None:
        """Nothing to let go of."""
