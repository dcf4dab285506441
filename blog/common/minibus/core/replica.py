"""A replica: the state of one service, its position in one log, and the reactions that it owes. Pure: no thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from minibus.core.event import Envelope, Stamp, seal_reaction
from minibus.core.fold import Fold, Handler
from minibus.core.snapshots import Snapshots


class Gap(Exception):
    """An event arrived too early; the bus has to go back to `position` + 1."""

    def __init__(self, position: int) -> None:
        super().__init__(f"expected event {position + 1}")
        self.position = position


class HandlerFailed(Exception):
    """A handler raised on the event `seq`; everything up to `position` is applied."""

    def __init__(self, position: int, seq: int | None, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.position = position
        self.seq = seq


@dataclass
class Received:
    """What a delivery did: whether the replica forgot its state first, the events applied, and what stopped it."""

    forgotten: bool = False
    applied: list[Envelope] = field(default_factory=list)
    problem: Gap | HandlerFailed | None = None


class Replica:
    """Apply numbered events in order and once, and keep each reaction until it is in the log.

    `stamp` gives the time to a reaction, and an id where its cause has none.
    """

    def __init__(
        self, source: str, handlers: Mapping[str, Handler], empty: Callable[[], Any], stamp: Callable[[], Stamp]
    ) -> None:
        self.source = source
        self.fold = Fold(handlers, empty)
        self.stamp = stamp
        self.log_id: str | None = None
        self.snapshots = Snapshots()
        self.forget()

    def forget(self) -> None:
        """Go back to position 0 and an empty state. The replay that follows derives anew which reactions are owed."""
        self.fold.forget()
        self.position = 0
        self.numbered = True  # false once an event without `seq` changed the state
        self.target: int | None = None  # the head of the log when the replica first met it
        self.skip: frozenset[int] = frozenset()
        self.owed: dict[str, Envelope] = {}

    @property
    def caught_up(self) -> bool:
        """Whether the replica has applied every event that was in the log when it first met it."""
        return self.target is not None and self.position >= self.target

    def meet(self, log_id: str, head: int) -> bool:
        """Note the log's id and head. If it is another log than before, forget everything; return whether it is."""
        another = log_id != self.log_id
        if another:
            self.forget()
            self.log_id = log_id
            self.snapshots = Snapshots()
        if self.target is None:
            self.target = head
        return another

    def receive(self, events: Iterable[Envelope], skip: frozenset[int] | None = None) -> Received:
        """Apply each event that comes next, pass over those already applied, and stop at the first problem.

        `skip` names the events to leave out. A new `skip` means starting over: the handler that raised may have
        changed half a state before.
        """
        received = Received()
        if skip is not None and skip != self.skip:
            self.forget()
            self.skip = skip
            self.snapshots.rejected |= skip
            received.forgotten = True
        try:
            for event in events:
                if self._receive_one(event):
                    received.applied.append(event)
        except (Gap, HandlerFailed) as problem:
            received.problem = problem
        return received

    def _receive_one(self, event: Envelope) -> bool:
        """Return whether this event was the next one, and not left out. Raises `Gap`, `HandlerFailed`."""
        seq = event["seq"]
        if seq <= self.position:
            return False
        if seq > self.position + 1:
            raise Gap(self.position)
        if seq not in self.skip:
            self._apply(event)
        self.position = seq
        if self.numbered and self.snapshots.is_due(seq):
            self.snapshots.keep(seq, msgspec.json.encode(self.fold.state))
        return seq not in self.skip

    def apply_unnumbered(self, event: Envelope, react: bool) -> None:
        """Apply an event without `seq`; `react` is whether its reactions are owed. Raises `HandlerFailed`."""
        self._apply(event, react)
        self.numbered = False

    def _apply(self, event: Envelope, react: bool = True) -> None:
        self.owed.pop(event.get("id", ""), None)
        try:
            reactions = self.fold.apply(event)
        except Exception as error:
            raise HandlerFailed(self.position, event.get("seq"), error) from error
        for index, reaction in enumerate(reactions if react else []):
            sealed = seal_reaction(reaction, self.source, event, index, **self.stamp())
            self.owed[sealed["id"]] = sealed

    def settle(self, events: Iterable[Envelope]) -> None:
        """Owe these reactions no longer: the bus has them."""
        for event in events:
            self.owed.pop(event["id"], None)
