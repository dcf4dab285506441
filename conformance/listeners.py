"""Four stand-ins that listen at the ports of the course's services, and record what an event bus delivers."""

from __future__ import annotations

import json
import threading
from typing import Any

from conformance.answer import as_json
from conformance.contract import Broken
from conformance.server import Server
from conformance.workbench import Workbench
from harness.server import Answer, Request, json_answer

NAMES = ("posts", "comments", "query", "moderation")


class Listener:
    """One stand-in. It answers 200, or 500 if `fails` is set; it waits while `released` is not set."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.fails = False
        self.released = threading.Event()
        self.released.set()
        self.events: list[Any] = []
        self.changed = threading.Condition()
        self.server = Server(port, f"stand-in for {name}", self._respond)

    def _respond(self, request: Request) -> Answer:
        if (request.method, request.path) != ("POST", "/events"):
            message = f"This stand-in answers only POST /events, not {request.method} {request.path}."
            return json_answer(404, {"errors": [{"message": message}]})
        try:
            event = json.loads(request.body)
        except ValueError:
            event = {"type": "not JSON", "data": request.body.decode(errors="replace")}
        with self.changed:
            self.events += event if isinstance(event, list) else [event]
            self.changed.notify_all()
        self.released.wait(30)
        if self.fails:
            return json_answer(500, {"errors": [{"message": "This stand-in fails on purpose."}]})
        return json_answer(200, {})

    def has(self, event: dict[str, Any]) -> bool:
        """Return whether this event has arrived, perhaps with more attributes."""
        return any(isinstance(one, dict) and one.items() >= event.items() for one in list(self.events))

    def receives(self, event: dict[str, Any], patience: float) -> None:
        """Wait until this event has arrived. Raises `Broken` after `patience` seconds."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.has(event), patience):
                found = f"{len(self.events)} events, but not this one" if self.events else "no event"
                place = f"http://127.0.0.1:{self.server.port} ({self.name})"
                raise Broken(f"POST /events at {place} with {as_json(event)}", found)


class BusBench(Workbench):
    """An event bus with the four stand-ins around it."""

    def __init__(self, ports: list[int], *given: Any) -> None:
        super().__init__(*given)
        self.listeners = [Listener(*place) for place in zip(NAMES, ports, strict=True)]

    @property
    def surroundings(self) -> str:
        """Describe what the checker runs around the bus."""
        ports = ", ".join(str(listener.server.port) for listener in self.listeners)
        return f"with the checker's stand-ins for the four services at {ports}"

    def open(self) -> None:
        """Start the stand-ins, then the bus."""
        for listener in self.listeners:
            listener.server.open()
        super().open()

    def close(self) -> None:
        """End the bus, then the stand-ins."""
        super().close()
        for listener in self.listeners:
            listener.released.set()
            listener.server.close()

    def new_event(self) -> dict[str, Any]:
        """Return a new event in the shape that a service sends."""
        return {"type": "PostCreated", "data": {"id": self.unique("x").replace(" ", "-"), "title": "Hello"}}
