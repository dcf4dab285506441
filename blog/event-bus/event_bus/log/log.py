"""The log: append events in groups, read them in pages, wake the threads that wait for new events."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from gevent import monkey
from minibus.core.event import Envelope

from event_bus.log.store.interface import EVERYTHING, PAGE_EVENTS, Only, Record, Store, Stored, StoreError

PIECE_BYTES = 64 * 1024


class Ticket:
    """Events that wait for their commit, and its outcome: `answers` or `error`."""

    def __init__(self, events: list[Envelope]) -> None:
        self.events = events
        self.answers: list[Stored] | None = None
        self.error: Exception | None = None


class Log:
    """Share one store between publishers, readers and couriers. `grown` is notified at each change."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.id = store.id
        self.grown = threading.Condition(threading.RLock())
        self._last_read: tuple[Any, list[Record]] = (None, [])
        self._waiting: deque[Ticket] = deque()
        self._commit = threading.Lock()
        self._reserved = False
        self.imported = 0  # deliveries up to this seq count as replays
        self.on_commit: Callable[[int], object] = lambda events: None

    @property
    def head(self) -> int:
        """The number of the last event, 0 in an empty log."""
        return self.store.head

    def append(self, events: list[Envelope]) -> list[Stored]:
        """Store these events, all or none. Return once they are durable. Raises `StoreError`.

        Group commit: the first thread that gets the lock commits the events of all waiting threads with one fsync.
        """
        if self._reserved:
            raise StoreError("a log is being imported")
        ticket = Ticket(events)
        self._waiting.append(ticket)
        with self._commit:
            if ticket.answers is None and ticket.error is None:
                self._commit_group([self._waiting.popleft() for _ in range(len(self._waiting))])
        if ticket.error:
            raise ticket.error
        assert ticket.answers is not None
        return ticket.answers

    def _commit_group(self, group: list[Ticket]) -> None:
        try:
            answers = iter(off_the_loop(self.store.append, [event for ticket in group for event in ticket.events]))
            for ticket in group:
                ticket.answers = [next(answers) for _ in ticket.events]
        except Exception as error:
            for ticket in group:
                ticket.error = error
        self.on_commit(sum(len(ticket.events) for ticket in group))
        self.wake()

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Reject every append until this block ends. Raises `StoreError` if the log is already reserved."""
        if self._reserved:
            raise StoreError("a log is being imported")
        self._reserved = True
        try:
            with self._commit:
                yield
        finally:
            self._reserved = False

    def load(self, events: Iterable[Envelope]) -> int:
        """Fill the reserved, empty log, all or none. Return the number of events. Readers never see a part of it."""
        count: int = off_the_loop(self.store.load, events)
        self.imported = count
        self.wake()
        return count

    def wait_beyond(self, position: int, seconds: float, stopping: Callable[[], bool]) -> bool:
        """Wait for an event after this position, or until `stopping()` is true. Return false after a time-out."""
        with self.grown:
            return self.grown.wait_for(lambda: self.head > position or stopping(), seconds)

    def wake(self) -> None:
        """Wake every waiting thread, so that it checks its condition again."""
        with self.grown:
            self.grown.notify_all()

    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        """Return the next events after this position: at most `limit`, and about 1 MiB.

        Couriers and streams at the head all read the same page, so the last page is cached.
        """
        if only.contains is not None:
            return off_the_loop(self.store.read, after, limit, only)
        question = (after, limit, only, self.head)
        if self._last_read[0] != question:
            self._last_read = (question, self.store.read(after, limit, only))
        return self._last_read[1]

    def pages(self, after: int = 0, only: Only = EVERYTHING, until: int | None = None) -> Iterator[list[Record]]:
        """Yield the events that the log holds now, at most up to event `until`, in pieces of about 64 KiB."""
        head = self.head if until is None else until
        while after < head:
            page = [record for record in self.read(after, only=only) if record.seq <= head]
            if not page:
                return
            yield from in_pieces(page)
            after = page[-1].seq
            # Reading never waits, so give other greenlets a turn.
            time.sleep(0)


def in_pieces(page: list[Record]) -> Iterator[list[Record]]:
    """Cut a page into pieces of about 64 KiB, small enough for a slow client to read one before the time-out."""
    piece: list[Record] = []
    size = 0
    for record in page:
        piece.append(record)
        size += len(record.body)
        if size >= PIECE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def off_the_loop(call: Callable[..., Any], *args: Any) -> Any:
    """Call a function that waits for the disk: on a native thread under gevent, directly without gevent."""
    if not monkey.is_module_patched("threading"):
        return call(*args)
    result, error = gevent.get_hub().threadpool.apply(_outcome, (call, args))
    if error:
        raise error
    return result


def _outcome(call: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    """Return what a call returns or raises: gevent prints a traceback for an exception in its thread pool."""
    try:
        return call(*args), None
    except Exception as error:
        return None, error
