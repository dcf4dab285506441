"""The `memory` store, the course's second bus: a restart of the bus loses every event."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from event_bus.log.store.interface import (
    EVERYTHING,
    MOST_TYPES,
    PAGE_BYTES,
    PAGE_EVENTS,
    Duplicate,
    Only,
    Record,
    Stored,
)

if TYPE_CHECKING:
    from minibus.core.event import Envelope


class MemoryStore:
    """Keep encoded events in a list."""

    keeps = True

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._bodies: list[bytes] = []
        self._marks: list[Only] = []
        self._places: dict[tuple[str, str], int] = {}

    @property
    def head(self) -> int:
        """The number of the last event."""
        return len(self._bodies)

    def append(self, events: list[Envelope]) -> list[Stored]:
        """Append the events that are not in the list yet."""
        answers = []
        for event in events:
            seq = self._places.setdefault((event["source"], event["id"]), self.head + 1)
            if seq > self.head:
                self._marks.append(Only(event["type"], event["correlationid"]))
                self._bodies.append(msgspec.json.encode({**event, "seq": seq}))
            answers.append(Stored(seq, event["id"]))
        return answers

    def load(self, events: Iterable[Envelope]) -> int:
        """Load the events into a second store, then adopt its lists: an error leaves this one empty."""
        loaded = MemoryStore()
        for seq, event in enumerate(events, 1):
            [place] = loaded.append([event])
            if place.seq != seq:
                raise Duplicate(seq, place.seq)
        self._marks, self._places, self._bodies = loaded._marks, loaded._places, loaded._bodies
        return self.head

    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        """Return the next events after this position."""
        page: list[Record] = []
        size = 0
        text = (only.contains or "").lower().encode()
        for seq in range(after + 1, self.head + 1):
            mark, body = self._marks[seq - 1], self._bodies[seq - 1]
            its_type, its_chain = only.type in (None, mark.type), only.correlationid in (None, mark.correlationid)
            if its_type and its_chain and text in body.lower():
                page.append(Record(seq, body))
                size += len(body)
            if len(page) >= limit or size >= PAGE_BYTES:
                break
        return page

    def types(self, numbers: Sequence[int]) -> list[str]:
        """Return the types of the events with these numbers."""
        return [self._marks[seq - 1].type or "" for seq in numbers]

    def all_types(self) -> list[str]:
        """Return every type in the log."""
        return sorted({mark.type or "" for mark in self._marks})[:MOST_TYPES]

    def close(self) -> None:
        """Do nothing: there are no files or locks."""
