"""The event bus by hand: deliver each published event to all four services."""

import logging

import requests
from flask import Flask, request

app = Flask(__name__)
logging.getLogger("werkzeug").setLevel("ERROR")  # the server prints no line for each request


@app.post("/events")
def publish_event() -> dict[str, str]:
    """Deliver an event to each service in turn, even if a service is down."""
    event = request.get_json()
    print(event["type"], event["data"])
    for port in (4000, 4001, 4002, 4003):
        try:
            requests.post(f"http://127.0.0.1:{port}/events", json=event, timeout=2)
        except requests.RequestException:
            print(f"  not delivered to {port}")
    return {"status": "OK"}


app.run(port=4005)
