"""The event bus by hand: whatever is posted here, everybody hears."""

import logging

import requests
from flask import Flask, request

app = Flask(__name__)
logging.getLogger("werkzeug").setLevel("ERROR")  # no line for every request


@app.post("/events")
def hear() -> dict[str, str]:
    """Tell everybody, one after the other, whether they are there or not."""
    event = request.get_json()
    print(event["type"], event["data"])
    for port in (4000, 4001, 4002, 4003):
        try:
            requests.post(f"http://127.0.0.1:{port}/events", json=event, timeout=2)
        except requests.RequestException:
            print(f"  {port} did not hear of it")
    return {"status": "OK"}


app.run(port=4005)
