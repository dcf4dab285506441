"""The link between a service and the bus, in two background tasks: register, and publish the reactions owed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from minibus.bus.client import BusAway, BusClient, BusRefused, Registration
from minibus.bus.course import BATCH, NO_REGISTRATION, CourseBus
from minibus.bus.shared_replica import CHUNK, SharedReplica
from minibus.core.event import Envelope

HEARTBEAT = 2.0  # seconds between two registrations
# With these statuses the bus rejects the event itself, so a retry would change nothing.
EVENT_REJECTED = {400, 413, 422}


class Link:
    """Register `name` at the bus again and again, and publish the replica's reactions.

    `registration` is what the service sends about itself. The link calls `on_change` when its `status` changes.
    """

    def __init__(
        self,
        name: str,
        registration: dict[str, Any],
        bus: BusClient,
        replica: SharedReplica,
        course: CourseBus,
        stopping: threading.Event,
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.registration = registration
        self.bus = bus
        self.replica = replica
        self.course = course
        self.stopping = stopping
        self.on_change = on_change
        self.reply = Registration()  # the bus's reply to the last registration
        self.waited = 0  # tries since the bus last answered
        self.chunk = CHUNK
        self.registering = threading.Lock()  # held while a registration is in flight
        self.logger = replica.logger

    def start(self) -> None:
        """Start both tasks."""
        for task in (self._keep_registered, self._publish_owed):
            threading.Thread(target=task, name=task.__name__, daemon=True).start()

    def stop(self) -> None:
        """Report the stop, so that the bus need not detect it. Wait for a registration in flight first."""
        self.replica.wake()
        if self.waited or not self.registering.acquire(timeout=0.5):
            return
        try:
            self.bus.say_goodbye(self.name, self.registration)
        except (BusAway, BusRefused) as error:
            self.logger.info("could not report the stop: %s", error)
        finally:
            self.registering.release()

    def forget(self) -> None:
        """Forget everything, after a registration in flight: it carries the old position."""
        with self.registering:
            self.replica.forget()

    def status(self) -> dict[str, Any]:
        """What a page shows: whether the bus answers, this service's state and place, the states of all services."""
        reply = self.reply
        place = {} if reply.state == "live" else {"position": self.replica.position, "head": reply.head}
        return {
            "bus": "down" if self.waited else "live",
            "state": reply.state,
            "services": reply.subscribers,
            **place,
        }

    def _keep_registered(self) -> None:
        """Register every few seconds: this is heartbeat and correction of the position in one."""
        while True:
            before = self.status()
            try:
                with self.registering:
                    if self.stopping.is_set():
                        return
                    self._register()
                if self.waited:
                    self.logger.info("found the event bus at %s", self.bus.url)
                self.waited = 0
            except (BusAway, BusRefused) as error:
                if self.waited % 20 == 0:
                    reason = f" ({error})" if isinstance(error, BusRefused) else ""
                    self.logger.info("waiting for the event bus at %s%s", self.bus.url, reason)
                self.waited += 1
            if self.status() != before:
                self.on_change()
            if self.stopping.wait(HEARTBEAT / 4 if self.waited else HEARTBEAT):
                return

    def _register(self) -> None:
        log_id, position = self.replica.place()
        try:
            reply = self.bus.register(self.name, {**self.registration, "log_id": log_id, "after": position})
        except BusRefused as error:
            if error.status != NO_REGISTRATION:
                raise
            # Before catching up, because the service publishes as soon as it has caught up.
            self.chunk = BATCH
            self.course.catch_up()
            self.reply = Registration(state="live")
            return
        if reply.log_id == log_id and reply.position < position:
            # This log ends before our position: an older copy was put back, so it has become another log.
            self.replica.forget_log()
        self.replica.meet(reply.log_id, reply.head)
        self.course.leave()
        self.chunk = CHUNK
        self.reply = reply

    def _publish_owed(self) -> None:
        """Publish reactions, oldest first, once the service has caught up; keep each until the bus has stored it."""
        alone = False  # after a rejected chunk: publish one by one to find the event at fault
        while not self.stopping.is_set():
            owed = self.replica.wait_for_owed(self.stopping)
            if not owed:
                continue
            chunk = owed[: 1 if alone else self.chunk]
            try:
                self.bus.publish(chunk)
                self.replica.settle(chunk)
                alone = False
            except BusRefused as error:
                if error.status not in EVENT_REJECTED:
                    self.stopping.wait(HEARTBEAT)
                elif len(chunk) > 1:
                    alone = True
                else:
                    self._drop(chunk[0], error)
            except BusAway:
                self.stopping.wait(HEARTBEAT / 4)

    def _drop(self, event: Envelope, error: BusRefused) -> None:
        self.logger.error("the event bus rejects %s %s: %s", event["type"], event["id"], error)
        self.replica.settle([event])
