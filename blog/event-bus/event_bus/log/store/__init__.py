"""The ladder of stores: each rung is one file behind this interface, `EVENT_STORE` chooses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from minibus.core.event import Envelope


class Stored(NamedTuple):
    """Where an event stands in the log."""

    seq: int
    id: str


class Record(NamedTuple):
    """A stored event: its place, and its JSON as it was encoded when it was appended."""

    seq: int
    body: bytes


class Only(NamedTuple):
    """Which events are meant: all, those of a type, those of a chain, those whose JSON contains a text."""

    type: str | None = None
    correlationid: str | None = None
    contains: str | None = None


EVERYTHING = Only()


class StoreError(Exception):
    """The store cannot do this now, or cannot be opened; the message says why and nothing was changed."""


class Duplicate(StoreError):
    """Event `seq` of what is loaded has the source and the id that event `first` has."""

    def __init__(self, seq: int, first: int) -> None:
        super().__init__(f"event {seq} has the source and the id of event {first}")
        self.seq = seq
        self.first = first


PAGE_BYTES = 1024 * 1024
PAGE_EVENTS = 1000
MOST_TYPES = 100  # types that somebody can choose from; anybody can make up another


class Store(Protocol):
    """A log: events numbered 1, 2, 3 … without holes, each `source` + `id` once.

    One thread appends at a time; others read meanwhile.
    """

    keeps: bool  # whether events can be asked for again
    id: str

    @property
    def head(self) -> int:
        """The number of the last event, 0 in an empty log."""

    def append(self, events: list[Envelope]) -> list[Stored]:
        """Store these events, all or none, durably; an event that is there already keeps its place.

        Raises `StoreError`, and has stored nothing then.
        """

    def load(self, events: Iterable[Envelope]) -> int:
        """Fill the empty log with these events, numbered as they come, all or none, durably; return how many.

        Raises `StoreError`, `Duplicate`, or what `events` raises, and has stored nothing then.
        """

    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        """Return the next events after this position, oldest first: at most `limit`, and about 1 MiB.

        Of a text to be contained, `a` finds `A`, too. Such a search reads every event: call it off the loop.
        Raises `StoreError`.
        """

    def types(self, numbers: Sequence[int]) -> list[str]:
        """Return the types of these events, in the order of the log."""

    def all_types(self) -> list[str]:
        """Return every type that there is an event of, at most 100, in alphabetical order."""

    def close(self) -> None:
        """Let go of files and locks."""


def open_store(settings: Mapping[str, str] = os.environ) -> Store:
    """Open the store that the settings name. Raises `StoreError` with one line that says what to do."""
    # Each rung is imported here, and not above, because it imports this module.
    from event_bus.log.store.memory import MemoryStore  # noqa: PLC0415
    from event_bus.log.store.none import NoStore  # noqa: PLC0415
    from event_bus.log.store.sqlite import SqliteStore  # noqa: PLC0415

    rung = settings.get("EVENT_STORE", "sqlite")
    if rung == "none":
        return NoStore()
    if rung == "memory":
        return MemoryStore()
    if rung == "sqlite":
        return SqliteStore(Path(settings.get("DATA_DIR", "data")) / "events.db")
    raise StoreError(f"EVENT_STORE is {rung!r}; it can be sqlite (the default), memory or none")
