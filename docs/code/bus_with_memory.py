"""The event bus by hand, with a memory: it keeps what it is told, and gives it to whoever asks."""

import logging
from typing import Any

import requests
from flask import Flask, request

app = Flask(__name__)
logging.getLogger("werkzeug").setLevel("ERROR")  # no line for every request
events: list[Any] = []


@app.get("/events")
def list_events() -> list[Any]:
    """Give all that happened, oldest first."""
    return events


@app.post("/events")
def hear() -> dict[str, str]:
    """Keep an event, then tell everybody."""
    event = request.get_json()
    events.append(event)
    print(event["type"], event["data"])
    for port in (4000, 4001, 4002, 4003):
        try:
            requests.post(f"http://127.0.0.1:{port}/events", json=event, timeout=2)
        except requests.RequestException:
            print(f"  {port} did not hear of it")
    return {"status": "OK"}


app.run(port=4005)
