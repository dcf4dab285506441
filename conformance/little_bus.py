"""The checker's own event bus: the course's, for one service, with notes of what that service publishes."""

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
    """A bus at `url` for the service at `service`. It shows what the service publishes, and can be taken away."""

    def __init__(self, url: str, service: str, patience: float) -> None:
        super().__init__(service)
        self.url = url
        self.service = service
        self.patience = patience
        self.published: list[Event] = []  # by the service
        self.misfits: list[str] = []  # what it published that is no event
        self._noted = 0
        self._changed = threading.Condition()
        self._to_deliver: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._one_at_a_time = threading.Lock()
        self.server = Server(urlsplit(url).port or 80, "little event-bus", self.respond)
        threading.Thread(target=self._deliver_for_ever, daemon=True).start()

    # -- what a service sees ------------------------------------------------------------------------------------------

    def receive(self, request: Request) -> Reply:
        """Store an event of the service, and note it. Refuse what is no event."""
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
        """Send an event to the service once, behind those that came before it."""
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

    def listen(self) -> None:
        """Let `heard` and the misfits begin here: ignore what has come before."""
        with self._changed:
            self._noted = len(self.published)
            self.misfits.clear()

    def heard(self, kind: str, *names: str, **facts: Any) -> dict[str, Any]:
        """Wait for an event of this type from the service, whose data has these names and facts; return its data."""
        deadline = time.monotonic() + self.patience
        with self._changed:
            while True:
                for event in self.published[self._noted :]:
                    if event["type"] == kind and has(event["data"], facts):
                        if not set(names) <= set(event["data"]):
                            raise Broken(f"{kind} with {', '.join(names)}", told(event))
                        return event["data"]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Broken(f"an event {kind} at the bus, with {as_json(facts)}", self._what_came())
                self._changed.wait(left)

    def count(self, kind: str, **facts: Any) -> int:
        """Count the events of this type and with these facts that the service has published."""
        return sum(event["type"] == kind and has(event["data"], facts) for event in list(self.published))

    def _what_came(self) -> str:
        came = self.misfits + [told(event) for event in self.published[self._noted :]]
        if came:
            return cut("; ".join(came[-3:]), 400)
        never = "" if self.published else f"; it has sent nothing at all to {self.url}/events yet"
        return f"nothing within {self.patience:g} s{never}"

    @contextmanager
    def away(self) -> Iterator[None]:
        """Refuse connections for a while. The bus keeps its events."""
        self.server.close()
        try:
            yield
        finally:
            self.server.open()


def read(body: bytes, media_type: str) -> tuple[Event | None, str]:
    """Return an event, or what is wrong with it."""
    shown = cut(body.decode(errors="replace"), 120)
    if "json" not in media_type:
        return None, f"an event that is not sent as application/json, but as {media_type or 'nothing in particular'}"
    try:
        event = json.loads(body)
    except ValueError:
        return None, f"an event that is no JSON: {shown}"
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or "data" not in event:
        return None, f"an event without type or data: {shown}"
    return event, ""


def has(data: Any, facts: dict[str, Any]) -> bool:
    """Whether an event's data is an object with these facts."""
    return isinstance(data, dict) and all(name in data and data[name] == fact for name, fact in facts.items())


def told(event: Event) -> str:
    """Tell of an event."""
    return f"{event['type']} {as_json(event['data'])}"
