"""event-bus of the course's shape, for a lab without Node: keeps a list, and sends each event once, to all at once."""

import os
import threading
from contextlib import suppress
from typing import Any

import requests
from flask import Flask, request

app = Flask(__name__)
events: list[Any] = []


def send(url: str, event: Any) -> None:
    """Send an event, and never ask what became of it."""
    with suppress(requests.RequestException):
        requests.post(f"{url}/events", json=event)


@app.get("/events")
def list_events() -> list[Any]:
    """Show all the events."""
    return events


@app.post("/events")
def publish() -> dict[str, str]:
    """Keep an event, and send it to everybody."""
    events.append(request.get_json())
    for url in os.environ["SUBSCRIBERS"].split(","):
        threading.Thread(target=send, args=(url, events[-1]), daemon=True).start()
    return {"status": "OK"}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
