"""The bus's only client for a service: deliver events, make it forget, ask about its state."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
import requests
from minibus.bus.session import new_session
from minibus.bus.token import HEADERS

CONNECT = 1.0  # seconds
DELIVER, FORGET, ASK = 10.0, 5.0, 25.0  # seconds for the answer, after the connection
LONGEST_ANSWER = 64 * 1024  # bytes, of an answer to a delivery
LONGEST_STATE = 256 * 1024 * 1024  # bytes, of an answer about a state
CHUNK = 16 * 1024  # bytes


class ServiceAway(Exception):
    """The service did not answer the whole request in time. The message says why, in a few words."""


class NotOurService(Exception):
    """The server at this URL answered, but not with JSON as a service of the blog does."""


class TooLong(Exception):
    """An answer has too many bytes, or takes too long."""


class Answer(NamedTuple):
    """The answer to a delivery: its status, and its JSON object, empty if the body is something else."""

    status: int
    fields: dict[str, Any]

    @property
    def position(self) -> int | None:
        """The position in the answer, `None` if there is none."""
        position = self.whole_number("position")
        return None if position is None or position < 0 else position

    def whole_number(self, name: str) -> int | None:
        """Return this field if it is a whole number, else `None`."""
        value = self.fields.get(name)
        return value if type(value) is int else None


class ServiceClient:
    """Call the service at `url` with the bus's token. Bound the bytes and the time of an answer; follow no redirect.

    The server may be foreign or hostile. It must not send the bus to another host, nor keep a courier waiting for ever.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = new_session()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def deliver(self, events: Iterable[bytes], log_id: str, head: int, skip: Iterable[int]) -> Answer:
        """Deliver encoded events as a batch, with the log's id and head, and the events to skip. Raises `ServiceAway`.

        A service of the blog answers with its position.
        """
        headers = {
            "Content-Type": "application/cloudevents-batch+json",
            "Minibus-Log": log_id,
            "Minibus-Head": str(head),
            "Minibus-Skip": ",".join(map(str, sorted(skip))),
        }
        return self._post(b"[" + b",".join(events) + b"]", headers)

    def deliver_one(self, event: bytes) -> Answer:
        """Deliver one encoded event, as the course's bus does. Raises `ServiceAway`."""
        return self._post(event, {"Content-Type": "application/json"})

    def forget(self) -> None:
        """Ask the service to forget its state and its position. Raises `ServiceAway`."""
        status, _, _ = self._request("DELETE", "/events", FORGET, LONGEST_ANSWER)
        if status >= 400:
            raise ServiceAway(f"answered {status}")

    def ask(self, path: str, parameters: Mapping[str, str]) -> tuple[int, bytes]:
        """Ask for `/state`, `/changes`, `/moment` or `/handlers`. Return the status and the JSON.

        Raises `ServiceAway`, or `NotOurService` for an answer that is not JSON: shown under the bus's address, a page
        of another server could press every button of the console.
        """
        status, kind, body = self._request("GET", path, ASK, LONGEST_STATE, params=parameters)
        if kind != "application/json":
            raise NotOurService(f"{self.url}{path} answered {status} with {kind or 'no Content-Type'}")
        return status, body

    def _post(self, body: bytes, headers: dict[str, str]) -> Answer:
        status, _, answer = self._request("POST", "/events", DELIVER, LONGEST_ANSWER, data=body, headers=headers)
        return Answer(status, json_object(answer))

    def _request(
        self, method: str, path: str, seconds: float, longest: int, headers: dict[str, str] | None = None, **how: Any
    ) -> tuple[int, str | None, bytes]:
        """Make a request. Return the status, the content type and the body."""
        deadline = time.monotonic() + CONNECT + seconds
        how |= {"headers": HEADERS | (headers or {}), "timeout": (CONNECT, seconds)}
        try:
            with self._session.request(
                method, f"{self.url}{path}", allow_redirects=False, stream=True, **how
            ) as response:
                return response.status_code, response.headers.get("Content-Type"), read(response, longest, deadline)
        except Exception as error:
            # A server that is not ours may break HTTP in any way, and requests does not wrap every error.
            raise ServiceAway(reason(error)) from error


def read(response: requests.Response, longest: int, deadline: float) -> bytes:
    """Read a body of at most `longest` bytes. Raises `TooLong`."""
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        body += chunk
        if len(body) > longest or time.monotonic() > deadline:
            raise TooLong
    return bytes(body)


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, an empty one if the body is something else."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def reason(error: Exception) -> str:
    """Say in a few words why a request failed."""
    if isinstance(error, TooLong):
        return "the answer does not end"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "no answer in time"
    return "no answer at this address" if isinstance(error, requests.ConnectionError) else str(error)
