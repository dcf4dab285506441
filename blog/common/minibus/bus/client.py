"""The bus as a service sees it: publish, register, read the log. HTTP, and what its failures mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin

import msgspec
import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from minibus.bus.session import new_session
from minibus.bus.token import HEADERS
from minibus.core.event import Envelope

S = TypeVar("S")

# So answers a bus that keeps nothing, the course's first one: Express, and Flask, which knows the path for POST only.
NO_LOG = (404, 405)
CONNECT, ANSWER = 1.0, 10.0  # seconds
PAGE = 1000  # events


class BusAway(Exception):
    """The bus did not answer. `maybe_stored`: the request may have reached it (an indefinite error)."""

    def __init__(self, message: str, maybe_stored: bool = False) -> None:
        super().__init__(message)
        self.maybe_stored = maybe_stored


class BusRefused(Exception):
    """The bus answered, and its answer is no (4xx): trying again would change nothing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Heard(msgspec.Struct):
    """What the bus says to a word of ours: which log it has and how long it is, how we stand, how others do."""

    log: str = ""
    head: int = 0
    position: int = 0
    state: str = "replaying"
    subscribers: dict[str, str] = {}  # msgspec gives each its own


class BusClient:
    """Speak to the event bus at `url`. Every method raises `BusAway` or `BusRefused`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = new_session()

    def publish(self, events: list[Envelope]) -> None:
        """Publish these events, all or none; the same `source` and `id` again are stored once."""
        if len(events) == 1:
            self._send("POST", "/events", events[0], "application/json")
        else:
            self._send("POST", "/events", events, "application/cloudevents-batch+json")

    def register(self, name: str, word: dict[str, Any]) -> Heard:
        """Register, or say again where this subscriber stands: `url`, `log`, `after`, perhaps `ephemeral` (seconds)."""
        return _read(self._send("PUT", f"/subscribers/{name}", word, "application/json"), Heard)

    def say_goodbye(self, name: str, word: dict[str, Any]) -> None:
        """Say that this subscriber stops now."""
        body = {**word, "stopping": True}
        self._send("PUT", f"/subscribers/{name}", body, "application/json", timeout=(0.5, 0.5))

    def whole_log(self) -> list[Any]:
        """Read all events at once, as the course's services do from the course's bus; unchecked, as that bus is."""
        try:
            return _read(self._send("GET", "/events"), list[Any])
        except BusRefused as error:
            if error.status not in NO_LOG:
                raise
            return []

    def event(self, seq: int) -> Envelope:
        """Read one event."""
        return _read(self._send("GET", f"/events/{seq}"), Envelope)

    def events(self, after: int = 0, until: int | None = None, **only: str) -> Iterator[Envelope]:
        """Yield the events after this position, oldest first, a page at a time; `until` is the last one wanted.

        `only` may name a `type`, or the `correlationid` of a chain.
        """
        limit = PAGE if until is None else min(until - after, PAGE)
        url: str | None = "/events?" + urlencode({"after": after, "limit": limit, **only})
        while url:
            page = self._send("GET", url)
            for event in filter(_is_object, _read(page, list[Any])):
                yield event
                if until is not None and event.get("seq", until) >= until:
                    return
            url = page.links["next"]["url"] if "next" in page.links else None

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        media_type: str | None = None,
        timeout: tuple[float, float] = (CONNECT, ANSWER),
    ) -> requests.Response:
        headers = HEADERS | ({"Content-Type": media_type} if media_type else {})
        data = None if body is None else msgspec.json.encode(body)
        try:
            response = self._session.request(
                method, urljoin(self.url, path), data=data, headers=headers, timeout=timeout
            )
        except requests.RequestException as error:
            raise BusAway(f"no answer from {self.url}", maybe_stored=not _never_connected(error)) from error
        if response.status_code >= 500:
            raise BusAway(_message(response), maybe_stored=response.status_code != 503)
        if response.status_code >= 400:
            raise BusRefused(response.status_code, _message(response))
        return response


def _is_object(event: Any) -> bool:
    # The course's bus keeps whatever it is sent.
    return isinstance(event, dict)


def _read(response: requests.Response, shape: type[S]) -> S:
    try:
        return msgspec.json.decode(response.content, type=shape)
    except (ValueError, RecursionError) as error:
        raise BusAway(f"{response.url} does not answer as a bus does: {error}") from error


def _never_connected(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _message(response: requests.Response) -> str:
    try:
        return response.json()["errors"][0]["message"]
    except (ValueError, LookupError, TypeError):
        return f"{response.request.method} {response.url} answered {response.status_code}"
