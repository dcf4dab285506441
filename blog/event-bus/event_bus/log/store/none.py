"""The `none` store, the course's first bus: it keeps only the events that couriers have not delivered yet."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from event_bus.log.store.interface import EVERYTHING, PAGE_EVENTS, Only, Record, Stored, StoreError

if TYPE_CHECKING:
    from minibus.core.event import Envelope

IN_FLIGHT = 1000  # events; a subscriber further behind misses the older ones


class NoStore:
    """Keep a window of the last events, without `seq`: readers cannot ask for them again."""

    keeps = False

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._window: deque[Record] = deque(maxlen=IN_FLIGHT)
        self._head = 0

    @property
    def head(self) -> int:
        """The number of events that were published."""
        return self._head

    def append(self, events: list[Envelope]) -> list[Stored]:
        """Put these events into the window, which drops its oldest."""
        stored = []
        for event in events:
            self._head += 1
            body = msgspec.json.encode({name: value for name, value in event.items() if name != "seq"})
            self._window.append(Record(self._head, body))
            stored.append(Stored(self._head, event["id"]))
        return stored

    def load(self, events: Iterable[Envelope]) -> int:
        """Raise `StoreError`: there is no log to fill."""
        raise StoreError("this bus keeps no events")

    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        """Return the next events after this position that are still in the window."""
        return [record for record in self._window if record.seq > after][:limit]

    def types(self, numbers: Sequence[int]) -> list[str]:
        """Return nothing: the events are not kept."""
        return []

    def all_types(self) -> list[str]:
        """Return nothing: the events are not kept."""
        return []

    def close(self) -> None:
        """Do nothing: there are no files or locks."""
