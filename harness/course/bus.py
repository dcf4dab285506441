"""The course's event bus in Python: it keeps a list of events, and sends each event once to each subscriber."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from typing import Any

import requests
from minibus.bus.session import request as send

from harness.server import Answer, Request, Server, json_answer

Event = dict[str, Any]


class CourseBus:
    """A bus for these subscribers, each the URL of a service. `respond` is what its server answers."""

    def __init__(self, *subscribers: str) -> None:
        self.subscribers = subscribers
        self.events: list[Event] = []

    def respond(self, request: Request) -> Answer:
        match request.method, request.path.partition("?")[0]:
            case "GET", "/events":
                return json_answer(200, self.events)
            case "POST", "/events":
                return self.receive(request)
            case method, path:
                return json_answer(404, {"errors": [{"message": f"This bus has no {method} {path}."}]})

    def receive(self, request: Request) -> Answer:
        """Store the event of a request, and send it to all subscribers."""
        event = json.loads(request.body)
        self.events.append(event)
        self.send_out(event)
        return json_answer(200, {"status": "OK"})

    def send_out(self, event: Event) -> None:
        """Send an event to all subscribers at the same time, once, and ignore what becomes of it."""
        for url in self.subscribers:
            threading.Thread(target=send_once, args=(url, event), daemon=True).start()


def send_once(url: str, event: Event) -> None:
    """Send an event to one subscriber."""
    with suppress(requests.RequestException):
        send("POST", f"{url}/events", json=event, timeout=60)


if __name__ == "__main__":
    bus = CourseBus(*os.environ["SUBSCRIBERS"].split(","))
    Server(bus.respond, int(os.environ["PORT"])).open()
    threading.Event().wait()
