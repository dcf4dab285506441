"""The line between a service and the bus, in the background: keep in touch, publish what is owed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from itertools import islice
from typing import Any

from minibus.bus.client import BusAway, BusClient, BusRefused, Registration
from minibus.core.event import BadEvent, Envelope, check
from minibus.core.replica import Gap, HandlerFailed, Replica

HEARTBEAT = 2.0  # seconds
CHUNK = 100  # reactions in one request
# The course's bus answers so to a registration, and so does our own where it keeps no events.
NO_SUBSCRIBERS = 404
COURSE_BUS = "course"
# What the bus says of the event itself; trying again would change nothing.
HOPELESS = {400, 413, 422}


class Link:
    """Registers `name` at the bus and publishes the replica's reactions. `news` is called when the bus has news."""

    def __init__(
        self,
        name: str,
        word: dict[str, Any],
        bus: BusClient,
        replica: Replica,
        stopping: threading.Event,
        news: Callable[[], None],
    ) -> None:
        self.name = name
        self.word = word
        self.bus = bus
        self.replica = replica
        self.stopping = stopping
        self.news = news
        self.heard = Registration()
        self.waited = 0  # tries since the bus was last there
        self.speaking = threading.Lock()  # held while a word is under way, so that it is not overtaken
        self.log = logging.getLogger(replica.name)

    def start(self) -> None:
        """Start both tasks."""
        for task in (self._keep_in_touch, self._publish_owed):
            threading.Thread(target=task, name=task.__name__, daemon=True).start()

    def stop(self) -> None:
        """Say goodbye, so that the bus need not find out; after the last word, which may be under way."""
        self.replica.wake()
        if self.waited or not self.speaking.acquire(timeout=0.5):
            return
        try:
            self.bus.say_goodbye(self.name, self.word)
        except (BusAway, BusRefused) as error:
            self.log.info("no goodbye: %s", error)
        finally:
            self.speaking.release()

    @property
    def status(self) -> dict[str, Any]:
        """What a page should know: is the bus there, where do we stand, who else is there."""
        heard = self.heard
        place = {} if heard.state == "live" else {"position": self.replica.position, "head": heard.head}
        return {
            "bus": "down" if self.waited else "live",
            "state": heard.state,
            "services": heard.subscribers,
            **place,
        }

    def _keep_in_touch(self) -> None:
        """Register again and again: heartbeat and correction in one."""
        while True:
            before = self.status
            try:
                with self.speaking:
                    if self.stopping.is_set():
                        return
                    self._register()
                if self.waited:
                    self.log.info("found the event bus at %s", self.bus.url)
                self.waited = 0
            except (BusAway, BusRefused) as error:
                if self.waited % 20 == 0:
                    reason = f" ({error})" if isinstance(error, BusRefused) else ""
                    self.log.info("waiting for the event bus at %s%s", self.bus.url, reason)
                self.waited += 1
            if self.status != before:
                self.news()
            if self.stopping.wait(HEARTBEAT / 4 if self.waited else HEARTBEAT):
                return

    def _register(self) -> None:
        replica = self.replica
        with replica.changed:
            log, after = replica.log, replica.position
        try:
            heard = self.bus.register(self.name, {**self.word, "log": log, "after": after})
        except BusRefused as error:
            if error.status != NO_SUBSCRIBERS:
                raise
            self._catch_up_as_in_the_course()
            return
        if heard.log_id == log and heard.position < after:
            # The log is shorter than what we have applied: put back to an earlier day, it is another one now.
            replica.log = None
        replica.meet(heard.log_id, heard.head)
        replica.uncounted.clear()
        self.heard = heard

    def _catch_up_as_in_the_course(self) -> None:
        """Read all events once from a bus that takes no subscribers, the course's; what is new comes by itself.

        It may have told us something already, and may keep nothing: that is taken once more, after what it keeps.
        """
        with self.replica.changed:
            if self.replica.log != COURSE_BUS:
                kept, told = self.bus.whole_log(), list(self.replica.uncounted)
                self.replica.meet(COURSE_BUS, 0)
                for event in [*kept, *(event for event in told if event not in kept)]:
                    self._apply_from_the_past(event)
            self.replica.uncounted.clear()
            self.heard = Registration(state="live")

    def _apply_from_the_past(self, event: Any) -> None:
        try:
            self.replica.receive([check(event)], live=False)
        except (BadEvent, Gap, HandlerFailed) as error:
            # That bus checks and parks nothing, so we leave it out ourselves.
            self.log.error("cannot apply %.200r: %s", event, error)

    def _publish_owed(self) -> None:
        """Publish reactions, oldest first, once the service has caught up; keep each until the bus has it."""
        size = CHUNK
        while not self.stopping.is_set():
            with self.replica.changed:
                self.replica.changed.wait_for(self._something_to_do)
                # The course's bus takes one at a time, and answers OK to a batch without having read it.
                most = 1 if self.replica.log == COURSE_BUS else size
                chunk = list(islice(self.replica.owed.values(), most))
            if not chunk or self.stopping.is_set():
                continue
            try:
                self.bus.publish(chunk)
                self.replica.settle(chunk)
                size = CHUNK
            except BusRefused as error:
                if error.status in HOPELESS and len(chunk) > 1:
                    size = 1  # find out which
                elif error.status in HOPELESS:
                    self._give_up(chunk[0], error)
                else:
                    self.stopping.wait(HEARTBEAT)
            except BusAway:
                self.stopping.wait(HEARTBEAT / 4)

    def _something_to_do(self) -> bool:
        return self.stopping.is_set() or bool(self.replica.owed and self.replica.caught_up)

    def _give_up(self, event: Envelope, error: BusRefused) -> None:
        self.log.error("the event bus refuses %s %s: %s", event["type"], event["id"], error)
        self.replica.settle([event])
