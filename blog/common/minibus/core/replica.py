"""What a service knows of the log: its state, its position, and the reactions it still owes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minibus.core.event import Envelope, seal_reaction
from minibus.core.fold import Fold, Handler
from minibus.core.snapshots import Checkpoints


class Gap(Exception):
    """An event came too early; the bus has to go back to `position` + 1."""

    def __init__(self, position: int) -> None:
        super().__init__(f"expected event {position + 1}")
        self.position = position


class HandlerFailed(Exception):
    """A handler raised on the event `seq`; everything up to `position` is applied."""

    def __init__(self, position: int, seq: int | None, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.position = position
        self.seq = seq


class Replica:
    """A fold that keeps its place in one log.

    `changed` guards everything here and is notified after every batch. It is plain threading code:
    several threads deliver, read and wait. `note` hears of every event applied, and None when all is forgotten.
    """

    def __init__(
        self,
        name: str,
        handlers: Mapping[str, Handler],
        empty: Callable[[], Any],
        note: Callable[[Envelope | None], None] = lambda event: None,
    ) -> None:
        self.name = name
        self.source = f"/{name}"
        self.fold = Fold(handlers, empty)
        self.changed = threading.Condition(threading.RLock())
        self.log: str | None = None
        self.checkpoints = Checkpoints()
        self.note = note
        self.ever_caught_up = False
        self.uncounted: list[Envelope] = []  # without `seq`, since we last heard from a bus that has a log
        self._awaited: dict[str, threading.Event] = {}
        self.forget()

    def forget(self) -> None:
        """Go back to position 0 and an empty state. The replay that follows derives anew what is owed."""
        with self.changed:
            self.fold.forget()
            self.position = 0
            self.counted = True  # nothing but the log's own events made this state
            self.target: int | None = None
            self.skip: frozenset[int] = frozenset()
            self.owed: dict[str, Envelope] = {}
            self.note(None)
            self.changed.notify_all()

    @property
    def caught_up(self) -> bool:
        """Whether everything that was in the log when it was first seen is applied."""
        return self.target is not None and self.position >= self.target

    def meet(self, log: str, head: int) -> None:
        """Take note of the log's id and head. Another log than the one known: forget."""
        with self.changed:
            if log != self.log:
                self.forget()
                self.log = log
                self.checkpoints = Checkpoints()
            if self.target is None:
                self.target = head
            self._note_caught_up()

    def receive(self, events: Iterable[Envelope], skip: frozenset[int] | None = None, live: bool = True) -> int:
        """Apply what is next, pass over what is known already; return the position.

        `skip` names the events to leave out. An event without `seq`, from a bus that does not count, is applied as
        it comes; without an id, too, it has reactions only when it is `live`. Raises `Gap`, or `HandlerFailed`.
        """
        with self.changed:
            try:
                if skip is not None and skip != self.skip:
                    # A handler may have changed half a state before it raised: start over without the event.
                    self.forget()
                    self.skip = skip
                    self.checkpoints.refused |= skip
                for event in events:
                    self._receive_one(event, live)
                return self.position
            finally:
                self._note_caught_up()

    def _receive_one(self, event: Envelope, live: bool) -> None:
        seq = event.get("seq")
        if seq is not None and seq <= self.position:
            return
        if seq is not None and seq > self.position + 1:
            raise Gap(self.position)
        if seq not in self.skip:
            self._apply(event, live)
        if seq is None:
            self.counted = False
            self.uncounted.append(event)
            return
        self.position = seq
        if self.counted:
            self.checkpoints.note(seq, self.fold.state)

    def _apply(self, event: Envelope, live: bool) -> None:
        self.owed.pop(event.get("id", ""), None)
        try:
            reactions = self.fold.apply(event)
        except Exception as error:
            raise HandlerFailed(self.position, event.get("seq"), error) from error
        for index, reaction in enumerate(reactions if live or "id" in event else []):
            sealed = seal_reaction(reaction, self.source, event, index)
            self.owed[sealed["id"]] = sealed
        self.note(event)
        if waiting := self._awaited.get(event.get("id", "")):
            waiting.set()

    def _note_caught_up(self) -> None:
        if self.caught_up and not self.ever_caught_up:
            self.ever_caught_up = True
            logging.getLogger(self.name).info("caught up at %d", self.position)
        self.changed.notify_all()

    @contextmanager
    def expecting(self, event_id: str) -> Iterator[threading.Event]:
        """Hand out a flag that is set when the event with this id is applied."""
        flag = self._awaited[event_id] = threading.Event()
        try:
            yield flag
        finally:
            del self._awaited[event_id]

    def wake(self) -> None:
        """Let those who wait for a change look again."""
        with self.changed:
            self.changed.notify_all()

    def settle(self, events: Iterable[Envelope]) -> None:
        """The bus has these reactions: they are owed no longer."""
        with self.changed:
            for event in events:
                self.owed.pop(event["id"], None)
