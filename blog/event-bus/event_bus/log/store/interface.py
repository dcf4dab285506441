"""What every store of the log offers, and the types that pass through it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    # Only for types: gunicorn opens a store before gevent patches the standard library, and `minibus` imports threads.
    from minibus.core.event import Envelope

PAGE_BYTES = 1024 * 1024
PAGE_EVENTS = 1000
MOST_TYPES = 100  # types in a list to choose from; publishers may invent any number


class Stored(NamedTuple):
    """The place of an event in the log."""

    seq: int
    id: str


class Record(NamedTuple):
    """A stored event: its place, and its JSON exactly as encoded when it was appended."""

    seq: int
    body: bytes


class Only(NamedTuple):
    """A filter: events of this type, of this chain, whose JSON contains this text. `None` accepts every event."""

    type: str | None = None
    correlationid: str | None = None
    contains: str | None = None


EVERYTHING = Only()


class StoreError(Exception):
    """The store cannot be opened, or cannot do this now. The message says why; the log is unchanged."""


class Duplicate(StoreError):
    """Event `seq` of a log to load has the same `source` and `id` as its event `first`."""

    def __init__(self, seq: int, first: int) -> None:
        super().__init__(f"event {seq} has the same source and id as event {first}")
        self.seq = seq
        self.first = first


class Store(Protocol):
    """Keep events numbered 1, 2, 3 … without holes, each `source` + `id` once.

    One thread appends at a time; other threads read meanwhile.
    """

    keeps: bool  # whether stored events can be read again
    id: str

    @property
    def head(self) -> int:
        """The number of the last event, 0 in an empty log."""

    def append(self, events: list[Envelope]) -> list[Stored]:
        """Store these events, all or none, durably. An event that is already stored keeps its place.

        Raises `StoreError`, and has stored nothing then.
        """

    def load(self, events: Iterable[Envelope]) -> int:
        """Fill the empty log with these events, all or none, durably, numbered in their order. Return their count.

        Raises `StoreError`, `Duplicate`, or what `events` raises, and has stored nothing then.
        """

    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        """Return the next events after this position, oldest first: at most `limit`, and about 1 MiB.

        `only.contains` ignores the case of letters. Such a search reads every event, so run it off the event loop.
        Raises `StoreError`.
        """

    def types(self, numbers: Sequence[int]) -> list[str]:
        """Return the types of the events with these numbers, in the order of the log."""

    def all_types(self) -> list[str]:
        """Return every type in the log, at most 100, in alphabetical order."""

    def close(self) -> None:
        """Release files and locks."""
