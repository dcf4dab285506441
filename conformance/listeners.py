"""Four stand-ins that listen where the course's services do, and note what an event bus sends them."""

from __future__ import annotations

import json
import threading
from typing import Any

from conformance.answer import as_json
from conformance.contract import Broken
from conformance.server import Reply, Server
from conformance.workbench import Workbench

NAMES = ("posts", "comments", "query", "moderation")


class Listener:
    """One of the four. It answers 200, unless `fails`; while `released` is not set, it does not answer at all."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.fails = False
        self.released = threading.Event()
        self.released.set()
        self.events: list[Any] = []
        self.changed = threading.Condition()
        self.server = Server(port, f"stand-in for {name}", self._respond)

    def _respond(self, method: str, path: str, body: bytes, media_type: str) -> Reply:
        if (method, path) != ("POST", "/events"):
            return 404, {"errors": [{"message": f"This stand-in takes POST /events, not {method} {path}."}]}
        try:
            event = json.loads(body)
        except ValueError:
            event = {"type": "no JSON", "data": body.decode(errors="replace")}
        with self.changed:
            self.events += event if isinstance(event, list) else [event]
            self.changed.notify_all()
        self.released.wait(30)
        return (500, {"errors": [{"message": "No."}]}) if self.fails else (200, {})

    def has(self, event: dict[str, Any]) -> bool:
        """Whether this event has come, whatever else it has by now."""
        return any(isinstance(came, dict) and came.items() >= event.items() for came in list(self.events))

    def hears(self, event: dict[str, Any], patience: float) -> None:
        """Wait for this event."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.has(event), patience):
                came = f"{len(self.events)} events, but not this one" if self.events else "nothing at all"
                place = f"http://127.0.0.1:{self.server.port} ({self.name})"
                raise Broken(f"POST /events at {place} with {as_json(event)}", came)


class BusBench(Workbench):
    """An event bus with the four stand-ins around it."""

    def __init__(self, ports: list[int], *given: Any) -> None:
        super().__init__(*given)
        self.listeners = [Listener(*place) for place in zip(NAMES, ports, strict=True)]

    @property
    def surroundings(self) -> str:
        """Say what stands around the service."""
        ports = ", ".join(str(listener.server.port) for listener in self.listeners)
        return f"with the checker's stand-ins for the four services at {ports}"

    def open(self) -> None:
        """Open the stand-ins first."""
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
        """Return an event as a service sends it."""
        return {"type": "PostCreated", "data": {"id": self.unique("x").replace(" ", "-"), "title": "Hello"}}
