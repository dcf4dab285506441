"""The event bus by hand, with a memory: keep each published event, and return all events on request."""

import logging
from typing import Any

import requests
from flask import Flask, request

app = Flask(__name__)
logging.getLogger("werkzeug").setLevel("ERROR")  # the server prints no line for each request
events: list[Any] = []


@app.get("/events")
def list_events() -> list[Any]:
    """Return all events, oldest first."""
    return events


@app.post("/events")
def publish_event() -> dict[str, str]:
    """Keep an event, then deliver it to each service in turn."""
    event = request.get_json()
    events.append(event)
    print(event["type"], event["data"])
    for port in (4000, 4001, 4002, 4003):
        try:
            requests.post(f"http://127.0.0.1:{port}/events", json=event, timeout=2)
        except requests.RequestException:
            print(f"  not delivered to {port}")
    return {"status": "OK"}


app.run(port=4005)
