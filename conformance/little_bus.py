"""The checker's own event bus: the course's bus for one service, which records what this service publishes."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from conformance.answer import Answer, NoAnswer, as_json, ask, cut
from conformance.contract import Broken
from conformance.server import Server
from harness.course.bus import CourseBus, Event
from harness.server import Answer as Reply
from harness.server import Request, json_answer


class LittleBus(CourseBus):
    """A bus at `url` for the service at `service`. It records what the service publishes, and can be closed."""

    def __init__(self, url: str, service: str, patience: float) -> None:
        super().__init__(service)
        self.url = url
        self.service = service
        self.patience = patience
        self.published: list[Event] = []  # events of the service
        self.misfits: list[str] = []  # descriptions of bodies from the service that are not events
        self._noted = 0
        self._changed = threading.Condition()
        self._to_deliver: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._one_at_a_time = threading.Lock()
        self.server = Server(urlsplit(url).port or 80, "little event-bus", self.respond)
        threading.Thread(target=self._deliver_for_ever, daemon=True).start()

    # -- what a service sees ------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> Reply:
        """Store an event of the service, and record it. Answer 400 to a body that is not an event."""
        event, problem = read(request.body, request.headers.get("Content-Type", ""))
        with self._changed:
            if event is None:
                self.misfits.append(problem)
            else:
                event = {"id": str(uuid4()), **event}
                self.events.append(event)
                self.published.append(event)
                self.send_out(event)
            self._changed.notify_all()
        return json_answer(200, {"status": "OK"}) if event else json_answer(400, {"errors": [{"message": problem}]})

    def send_out(self, event: Event) -> None:
        """Deliver an event to the service once, after all earlier events."""
        self._to_deliver.put(event)

    def _deliver_for_ever(self) -> None:
        while True:
            event = self._to_deliver.get()
            try:
                self.deliver(event)
            except NoAnswer:
                continue  # the course's bus sends each event once

    # -- what a rule does ---------------------------------------------------------------------------------------------

    def store(self, kind: str, data: Any) -> Event:
        """Store an event of another service without sending it; return it."""
        event = {"id": str(uuid4()), "type": kind, "data": data}
        with self._changed:
            self.events.append(event)
        return event

    def publish(self, kind: str, data: Any) -> Answer:
        """Publish an event of another service; return what the checked service answers to it."""
        return self.deliver(self.store(kind, data))

    def deliver(self, event: Event) -> Answer:
        """Send an event to the service, one at a time; return its answer."""
        with self._one_at_a_time:
            return ask("POST", f"{self.service}/events", event)

    def ignore_earlier(self) -> None:
        """Make `received` ignore all events and misfits up to now."""
        with self._changed:
            self._noted = len(self.published)
            self.misfits.clear()

    def received(self, kind: str, *names: str, **facts: Any) -> dict[str, Any]:
        """Wait for an event of this type from the service, whose data has these names and facts; return its data."""
        deadline = time.monotonic() + self.patience
        with self._changed:
            while True:
                for event in self.published[self._noted :]:
                    if event["type"] == kind and has(event["data"], facts):
                        if not set(names) <= set(event["data"]):
                            raise Broken(f"{kind} with {', '.join(names)}", describe(event))
                        return event["data"]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Broken(f"an event {kind} at the bus, with {as_json(facts)}", self._findings())
                self._changed.wait(left)

    def count(self, kind: str, **facts: Any) -> int:
        """Count the events of this type and with these facts that the service has published."""
        return sum(event["type"] == kind and has(event["data"], facts) for event in list(self.published))

    def _findings(self) -> str:
        found = self.misfits + [describe(event) for event in self.published[self._noted :]]
        if found:
            return cut("; ".join(found[-3:]), 400)
        never = "" if self.published else f"; the service has not sent any request to {self.url}/events"
        return f"no event within {self.patience:g} s{never}"

    @contextmanager
    def away(self) -> Iterator[None]:
        """Refuse connections for a while. The bus keeps its events."""
        self.server.close()
        try:
            yield
        finally:
            self.server.open()


def read(body: bytes, media_type: str) -> tuple[Event | None, str]:
    """Return an event, or a description of a body that is not an event."""
    shown = cut(body.decode(errors="replace"), 120)
    if "json" not in media_type:
        return None, f"an event with Content-Type {media_type or 'missing'}, not application/json"
    try:
        event = json.loads(body)
    except ValueError:
        return None, f"a body that is not JSON: {shown}"
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or "data" not in event:
        return None, f"an event without type or data: {shown}"
    return event, ""


def has(data: Any, facts: dict[str, Any]) -> bool:
    """Return whether an event's data is an object with these facts."""
    return isinstance(data, dict) and all(name in data and data[name] == fact for name, fact in facts.items())


def describe(event: Event) -> str:
    """Return an event's type and data as text, for a failure."""
    return f"{event['type']} {as_json(event['data'])}"
