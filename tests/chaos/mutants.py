"""Deliberately broken builds, chosen by `MUTANT` when a part starts: each has one rule less. Tests of the test."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import gevent
import msgspec
from event_bus.log.log import Log, Ticket
from event_bus.log.store.interface import Stored
from event_bus.log.store.sqlite import SqliteStore
from gevent.lock import RLock
from minibus.core.event import Envelope
from minibus.core.replica import Replica

LATER = 0.1  # seconds


def acknowledge_before_the_commit() -> None:
    """Append, then deliver: here the publisher gets its yes first, and the commit comes a moment later."""
    commit = Log._commit_group
    committing = RLock()

    def commit_later(log: Log, group: list[Ticket]) -> None:
        with committing:
            commit(log, group)

    def answer(log: Log, group: list[Ticket]) -> None:
        numbers = count(log.head + 1)
        for ticket in group:
            ticket.answers = [Stored(next(numbers), event["id"]) for event in ticket.events]
        gevent.spawn_later(LATER, commit_later, log, [Ticket(ticket.events) for ticket in group])

    Log._commit_group = answer  # type: ignore[assignment, method-assign]


def take_out_of_order() -> None:
    """A position, not luck: this service applies an event without the events before it."""
    receive = Replica._receive_one

    def take(replica: Replica, event: Envelope) -> bool:
        replica.position = max(replica.position, event["seq"] - 1)
        return receive(replica, event)

    Replica._receive_one = take  # type: ignore[assignment, method-assign]


def store_twice() -> None:
    """The same `source` and `id` is stored once: this bus stores it twice."""

    def insert(store: SqliteStore, seq: int, event: Envelope) -> int:
        body = msgspec.json.encode({**event, "seq": seq})
        row = (seq, event["source"], f"{event['id']} at {seq}", event["type"], body, event["correlationid"])
        return store._writer.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", row).rowcount

    SqliteStore._insert = insert  # type: ignore[assignment, method-assign]


def react_only_to_what_is_new() -> None:
    """A reaction is owed until it is seen: this service owes nothing after a replay, as in the course."""
    apply = Replica._apply

    def react(replica: Replica, event: Envelope) -> None:
        owed = dict(replica.owed)
        apply(replica, event)
        if not replica.caught_up:
            replica.owed = owed

    Replica._apply = react  # type: ignore[assignment, method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "acknowledge before the commit": acknowledge_before_the_commit,
    "take out of order": take_out_of_order,
    "store twice": store_twice,
    "react only to what is new": react_only_to_what_is_new,
}


def apply(name: str) -> None:
    """Break this process in the way that a mutant names."""
    if name:
        MUTANTS[name]()
