"""A replica that several threads share: they deliver to it, read it, and wait until it has applied an event."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from minibus.bus.stamp import stamp
from minibus.core.event import Envelope
from minibus.core.fold import Handler
from minibus.core.replica import Received, Replica

CHUNK = 100  # reactions that are published together


class SharedReplica:
    """A `Replica` with its lock. `changed` guards it, and notifies waiting threads after every change.

    `on_applied` is called with each event applied, or with None when the replica forgot everything.
    """

    def __init__(
        self,
        name: str,
        handlers: Mapping[str, Handler],
        empty: Callable[[], Any],
        on_applied: Callable[[Envelope | None], None] = lambda event: None,
    ) -> None:
        self.core = Replica(f"/{name}", handlers, empty, stamp)
        self.changed = threading.Condition(threading.RLock())
        self.on_applied = on_applied
        self.ever_caught_up = False
        self.logger = logging.getLogger(name)
        self._awaited: dict[str, threading.Event] = {}

    @property
    def state(self) -> Any:
        """The live state. A caller that reads more than one value of it needs the lock `changed`."""
        return self.core.fold.state

    @property
    def position(self) -> int:
        """The `seq` of the last event applied."""
        return self.core.position

    def place(self) -> tuple[str | None, int]:
        """Return the log's id and the position in it."""
        with self.changed:
            return self.core.log_id, self.core.position

    def forget(self) -> None:
        """Go back to position 0 and an empty state."""
        with self.changed:
            self.core.forget()
            self._announce(Received(forgotten=True))

    def forget_log(self) -> None:
        """Treat the log that the bus has as another one from now on, although it has the same id."""
        with self.changed:
            self.core.log_id = None

    def meet(self, log_id: str, head: int) -> None:
        """Note the log's id and head. Forget everything if it is another log than before."""
        with self.changed:
            self._announce(Received(forgotten=self.core.meet(log_id, head)))

    def receive(self, events: Iterable[Envelope], skip: frozenset[int] | None = None) -> int:
        """Apply numbered events; return the position. Raises `Gap`, or `HandlerFailed`."""
        with self.changed:
            received = self.core.receive(events, skip)
            self._announce(received)
            if received.problem:
                raise received.problem
            return self.core.position

    def apply_unnumbered(self, event: Envelope, react: bool) -> None:
        """Apply an event without `seq`; `react` is whether its reactions are owed. Raises `HandlerFailed`."""
        with self.changed:
            self.core.apply_unnumbered(event, react)
            self._announce(Received(applied=[event]))

    def _announce(self, received: Received) -> None:
        """Report to the pages, the waiting writers and the waiting threads."""
        if received.forgotten:
            self.on_applied(None)
        for event in received.applied:
            self.on_applied(event)
            if waiting := self._awaited.get(event.get("id", "")):
                waiting.set()
        if self.core.caught_up and not self.ever_caught_up:
            self.ever_caught_up = True
            self.logger.info("caught up at %d", self.core.position)
        self.changed.notify_all()

    @contextmanager
    def expecting(self, event_id: str) -> Iterator[threading.Event]:
        """Hand out a flag, set as soon as the event with this id is applied."""
        flag = self._awaited[event_id] = threading.Event()
        try:
            yield flag
        finally:
            del self._awaited[event_id]

    def wait_for_owed(self, stopping: threading.Event) -> list[Envelope]:
        """Wait until this replica owes reactions and has caught up; return the oldest 100, none when it stops."""

        def is_ready() -> bool:
            return stopping.is_set() or bool(self.core.owed and self.core.caught_up)

        with self.changed:
            self.changed.wait_for(is_ready)
            return [] if stopping.is_set() else list(islice(self.core.owed.values(), CHUNK))

    def settle(self, events: Iterable[Envelope]) -> None:
        """Owe these reactions no longer: the bus has them."""
        with self.changed:
            self.core.settle(events)

    def wake(self) -> None:
        """Wake the threads that wait for a change."""
        with self.changed:
            self.changed.notify_all()
