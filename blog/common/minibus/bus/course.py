"""The adapter for a bus of the course's kind, on a service's side.

Such a bus numbers no events, registers no subscribers, accepts one event a request, and may not store events at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minibus.bus.client import BusClient, BusRefused
from minibus.bus.shared_replica import SharedReplica
from minibus.core.event import BadEvent, Envelope, check
from minibus.core.replica import Gap, HandlerFailed

# The course's bus answers a registration with 404, and so does ours where it keeps no events.
NO_REGISTRATION = 404
# A bus without a log answers GET /events so: Express with 404; Flask, which has POST at that path, with 405.
NO_LOG = (404, 405)
LOG_ID = "course"
# The course's bus answers a batch with OK and drops it.
BATCH = 1


class CourseBus:
    """Bring a replica up to date on a bus of the course's kind, and apply what that bus delivers."""

    def __init__(self, bus: BusClient, replica: SharedReplica) -> None:
        self.bus = bus
        self.replica = replica
        self._early: list[Envelope] = []  # delivered since the last registration, before the log was read

    def receive(self, event: Envelope) -> None:
        """Apply an event without `seq` as it arrives. Raises `HandlerFailed`."""
        with self.replica.changed:
            self.replica.apply_unnumbered(event, react=True)
            self._early.append(event)

    def catch_up(self) -> None:
        """Read all events once. From then on this bus delivers each new event by itself, once.

        Events that arrived before are applied again after those that the bus keeps: it may keep none.
        """
        with self.replica.changed:
            if self.replica.place()[0] != LOG_ID:
                kept, early = self._read_log(), list(self._early)
                self.replica.meet(LOG_ID, 0)
                for event in [*kept, *(event for event in early if event not in kept)]:
                    self._apply_past(event)
            self._early.clear()

    def leave(self) -> None:
        """Drop the events of the course's bus: the service has registered at a bus that numbers events."""
        self._early.clear()

    def _read_log(self) -> list[Any]:
        try:
            return self.bus.whole_log()
        except BusRefused as error:
            if error.status not in NO_LOG:
                raise
            return []

    def _apply_past(self, event: Any) -> None:
        try:
            if "seq" in check(event):
                self.replica.receive([event])
            else:
                # A reaction to an event without an id gets a new id at every start, so the past causes none.
                self.replica.apply_unnumbered(event, react="id" in event)
        except (BadEvent, Gap, HandlerFailed) as error:
            # That bus checks no event and parks none, so the service leaves it out.
            self.replica.logger.error("cannot apply %.200r: %s", event, error)


def newer_events(bus: BusClient, after: int, event_type: str) -> Iterator[Envelope]:
    """Yield the events of this type after a position, none if the bus keeps none. Raises `BusAway`, `BusRefused`.

    The course's bus ignores both parameters and returns all its events, so they are checked here.
    """
    try:
        for event in bus.events(after, type=event_type):
            if event.get("type") == event_type:
                yield event
    except BusRefused as error:
        if error.status not in NO_LOG:
            raise
