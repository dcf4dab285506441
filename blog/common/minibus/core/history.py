"""The history of a service: its state at any moment of the log, folded anew. It never touches the live state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import msgspec

from minibus.core.difference import differences
from minibus.core.event import Envelope
from minibus.core.fold import Fold
from minibus.core.replica import HandlerFailed, Replica
from minibus.core.snapshots import ROOM, Snapshots

VARIANTS = 4  # variants that keep their snapshots, in an eighth of the room each

Skip = frozenset[int]


class Moment(NamedTuple):
    """A state after the first `at` events, as JSON; the events left out; how many events had to be folded for it."""

    at: int
    state: bytes
    skipped: list[int]
    folded: int


class Step(NamedTuple):
    """What one event did: the event, None at position 0, and the moments before and after it."""

    event: Envelope | None
    before: Moment
    after: Moment


def changes(before: Moment, after: Moment) -> list[dict[str, Any]]:
    """Return the differences between two moments."""
    old, new = before.state, after.state
    if old[:1] == new[:1] == b"{":
        # Most entities of a long state are the same bytes: decode only the others.
        old_entities, new_entities = (msgspec.json.decode(state, type=dict[str, msgspec.Raw]) for state in (old, new))
        same = {key for key, entity in new_entities.items() if old_entities.get(key) == entity}
        old, new = (
            msgspec.json.encode({key: entity for key, entity in entities.items() if key not in same})
            for entities in (old_entities, new_entities)
        )
    return list(differences(msgspec.json.decode(old), msgspec.json.decode(new)))


class BeyondHead(Exception):
    """The log ends before the position asked for, at `head`."""

    def __init__(self, head: int) -> None:
        super().__init__(f"the log ends at {head}")
        self.head = head


class History:
    """Look back at one service. Each look back is a fold of its own, so several may run at once.

    `read(after, until)` yields the events of the log, oldest first. `lock` guards the snapshots: the live fold
    of `replica` keeps some of them.
    """

    def __init__(
        self,
        replica: Replica,
        read: Callable[[int, int], Iterable[Envelope]],
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self.replica = replica
        self.read = read
        self.lock = lock or nullcontext()
        self._variants: OrderedDict[tuple[str | None, Skip], Snapshots] = OrderedDict()

    def at(self, position: int, skip: Skip = frozenset()) -> Moment:
        """Fold the first `position` events without those in `skip`. Raises `BeyondHead`.

        The fold leaves out events whose handler raises, too; `skipped` names them.
        """
        return self._visit([position], skip)[0][0]

    def step(self, position: int, skip: Skip = frozenset()) -> Step:
        """Fold the first `position` events once, and return what the last of them did. Raises `BeyondHead`."""
        if position == 0:
            empty = self.at(0, skip)
            return Step(None, empty, empty)
        (before, after), event = self._visit([position - 1, position], skip)
        return Step(event, before, after)

    def _visit(self, stops: Sequence[int], skip: Skip) -> tuple[list[Moment], Envelope | None]:
        """Fold from the nearest snapshot to the last stop; return the moment at each stop, and the last event read."""
        happened = self.replica.snapshots
        snapshots = self._variant(skip) if skip else happened
        folded = 0
        while True:
            with self.lock:
                # Before the first event that it leaves out, a variant equals the log itself.
                shared = happened.before(min([stops[0], *(seq - 1 for seq in skip)]))
                begin, encoded = max(shared, snapshots.before(stops[0]), key=lambda known: known[0])
            try:
                states, event = self._fold(begin, encoded, stops, skip, snapshots)
                break
            except HandlerFailed as error:
                # The handler may have changed half a state before it raised: fold again without this event.
                assert error.seq is not None
                snapshots.rejected.add(error.seq)
                folded += error.seq - begin
        folded += stops[-1] - begin
        left_out = sorted(skip | happened.rejected | snapshots.rejected)
        with self.lock:
            for stop in stops:
                snapshots.remember(stop, states[stop])
        return [Moment(at, states[at], [seq for seq in left_out if seq <= at], folded) for at in stops], event

    def _fold(
        self, begin: int, encoded: bytes | None, stops: Sequence[int], skip: Skip, snapshots: Snapshots
    ) -> tuple[dict[int, bytes], Envelope | None]:
        """Apply the events after `begin`; return the encoded state at each stop, and the last event.

        Raises `HandlerFailed`, `BeyondHead`.
        """
        fold = Fold(self.replica.fold.handlers, self.replica.fold.empty)
        if encoded is not None:
            fold.state = msgspec.json.decode(encoded)
        states = {begin: encoded or msgspec.json.encode(fold.state)}
        seq, end = begin, stops[-1]
        event: Envelope | None = None
        for event in self.read(begin, end) if begin < end else ():
            seq = event["seq"]
            if seq not in skip and seq not in snapshots.rejected:
                self._apply(fold, event)
            if snapshots.is_due(seq):
                with self.lock:
                    snapshots.keep(seq, msgspec.json.encode(fold.state))
            if seq in stops:
                states[seq] = msgspec.json.encode(fold.state)
        if seq < end:
            raise BeyondHead(seq)
        return states, event

    def _apply(self, fold: Fold, event: Envelope) -> None:
        try:
            fold.apply(event)
        except Exception as error:  # a handler may raise any exception
            raise HandlerFailed(event["seq"] - 1, event["seq"], error) from error

    def _variant(self, skip: Skip) -> Snapshots:
        """Return the snapshots of the log without these events; only the last few variants keep theirs."""
        key = (self.replica.log_id, skip)
        with self.lock:
            self._variants.setdefault(key, Snapshots(ROOM // 8))
            self._variants.move_to_end(key)
            while len(self._variants) > VARIANTS:
                self._variants.popitem(last=False)
            return self._variants[key]


def with_what_it_caused(event: Envelope, chain: Iterable[Envelope]) -> Skip:
    """Return the numbers of this event and of all that it caused, out of the events of its chain, oldest first."""
    caused = {event["id"]}
    numbers = {event["seq"]}
    for later in chain:
        if later.get("causationid") in caused:
            caused.add(later["id"])
            numbers.add(later["seq"])
    return frozenset(numbers)
