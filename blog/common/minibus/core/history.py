"""The history of a service: its state at any moment of the log, folded anew. The live state is never touched."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from minibus.core.difference import differences
from minibus.core.event import Envelope
from minibus.core.fold import Fold, Handler
from minibus.core.replica import HandlerFailed, Replica
from minibus.core.snapshots import ROOM, Checkpoints

WHAT_IFS = 4  # other courses of history that keep their checkpoints, an eighth of the room each

Skip = frozenset[int]


class Moment(NamedTuple):
    """A state after the first `at` events, as JSON; the events left out; how many had to be folded to know it."""

    at: int
    state: bytes
    skipped: list[int]
    folded: int


def changes(before: Moment, after: Moment) -> list[dict[str, Any]]:
    """Tell what is different between two moments."""
    old, new = before.state, after.state
    if old[:1] == new[:1] == b"{":
        # Most entities of a long state are the same, to the byte: only the others are looked into.
        old_entities, new_entities = (msgspec.json.decode(state, type=dict[str, msgspec.Raw]) for state in (old, new))
        same = {key for key, entity in new_entities.items() if old_entities.get(key) == entity}
        old, new = (
            msgspec.json.encode({key: entity for key, entity in entities.items() if key not in same})
            for entities in (old_entities, new_entities)
        )
    return list(differences(msgspec.json.decode(old), msgspec.json.decode(new)))


class BeyondHead(Exception):
    """The log is shorter than that; it ends at `head`."""

    def __init__(self, head: int) -> None:
        super().__init__(f"the log ends at {head}")
        self.head = head


class History:
    """Looks back at one service. Several people look at several moments at once; each look is a fold of its own.

    `read(after, until)` yields the events of the log, oldest first. The live fold leaves checkpoints on its way, too.
    """

    def __init__(
        self,
        replica: Replica,
        handlers: Mapping[str, Handler],
        empty: Callable[[], Any],
        read: Callable[[int, int], Iterable[Envelope]],
    ) -> None:
        self.replica = replica
        self.handlers = handlers
        self.empty = empty
        self.read = read
        self._what_ifs: OrderedDict[tuple[str | None, Skip], Checkpoints] = OrderedDict()

    def at(self, position: int, skip: Skip = frozenset()) -> Moment:
        """Fold the first `position` events without those in `skip`. Raises `BeyondHead`.

        Events whose handler raises are left out, too, and told among the skipped.
        """
        as_it_happened = self.replica.checkpoints
        checkpoints = self._what_if(skip) if skip else as_it_happened
        # Up to the first event that is left out, nothing is different.
        shared = as_it_happened.before(min([position, *(seq - 1 for seq in skip)]))
        folded = 0
        while True:
            begin, encoded = max(shared, checkpoints.before(position), key=lambda known: known[0])
            fold = Fold(self.handlers, self.empty)
            if encoded is not None:
                fold.state = msgspec.json.decode(encoded)
            try:
                reached = self._fold(fold, begin, position, skip, checkpoints)
            except HandlerFailed as error:
                # It may have changed half a state before it raised: once more, without that event.
                assert error.seq is not None
                checkpoints.refused.add(error.seq)
                folded += error.seq - begin
                continue
            if reached < position:
                raise BeyondHead(reached)
            state = msgspec.json.encode(fold.state)
            checkpoints.remember(position, state)
            left_out = skip | as_it_happened.refused | checkpoints.refused
            return Moment(position, state, sorted(seq for seq in left_out if seq <= position), folded + reached - begin)

    def _fold(self, fold: Fold, begin: int, end: int, skip: Skip, checkpoints: Checkpoints) -> int:
        """Apply the events after `begin` up to `end`; return the last one's number. Raises `HandlerFailed`."""
        seq = begin
        for event in self.read(begin, end) if begin < end else ():
            seq = event["seq"]
            if seq not in skip and seq not in checkpoints.refused:
                try:
                    fold.apply(event)
                except Exception as error:  # whatever a learner's handler raises
                    raise HandlerFailed(seq - 1, seq, error) from error
            checkpoints.note(seq, fold.state)
        return seq

    def _what_if(self, skip: Skip) -> Checkpoints:
        """Return the checkpoints of another course of history; the few that were asked for last are kept."""
        key = (self.replica.log, skip)
        self._what_ifs.setdefault(key, Checkpoints(ROOM // 8))
        self._what_ifs.move_to_end(key)
        while len(self._what_ifs) > WHAT_IFS:
            self._what_ifs.popitem(last=False)
        return self._what_ifs[key]


def with_what_it_caused(event: Envelope, chain: Iterable[Envelope]) -> Skip:
    """Return the numbers of this event and of all that came of it, out of the events of its chain, oldest first."""
    caused = {event["id"]}
    numbers = {event["seq"]}
    for later in chain:
        if later.get("causationid") in caused:
            caused.add(later["id"])
            numbers.add(later["seq"])
    return frozenset(numbers)
