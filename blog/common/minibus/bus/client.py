"""The event bus as a client sees it: publish and register, read and follow the log, control subscribers, look back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from minibus.bus.calls import BusAway, BusRefused, Caller, NoAnswer, breaks_off, read
from minibus.core.event import Envelope

__all__ = ["BusAway", "BusClient", "BusRefused", "NoAnswer", "Registration"]

LEAVING = (0.5, 0.5)  # seconds, while a service stops
STORING = 600.0  # seconds for the bus to store a whole log
PAGE = 1000  # events
CHUNK = 64 * 1024  # bytes of the log's file
LINES = "application/x-ndjson"


class Registration(msgspec.Struct):
    """Reply to a registration: log id, head, our position and state, the states of all subscribers."""

    log_id: str = ""
    log: str = ""  # the older name of `log_id`, in the reply of an older bus
    head: int = 0
    position: int = 0
    state: str = "replaying"
    subscribers: dict[str, str] = {}  # msgspec gives each its own

    def __post_init__(self) -> None:
        self.log_id = self.log_id or self.log


class Header(msgspec.Struct):
    """The first line of the log's file."""

    events: int


class BusClient(Caller):
    """Use the event bus at `url`. Every method raises `BusAway` or `BusRefused`."""

    # -- events -------------------------------------------------------------------------------------------------------

    def publish(self, events: list[Envelope]) -> None:
        """Publish these events, all or none; the same `source` and `id` again are stored once."""
        if len(events) == 1:
            self.send("POST", "/events", events[0])
        else:
            self.send("POST", "/events", events, media_type="application/cloudevents-batch+json")

    def publish_one(self, event: dict[str, Any]) -> dict[str, Any]:
        """Publish an event that the bus completes; return its `id`, and its `seq` if the bus keeps events."""
        return self.ask("POST", "/events", event)

    def event(self, seq: int) -> Envelope:
        """Read one event."""
        return read(self.send("GET", f"/events/{seq}"), Envelope)

    def events(self, after: int = 0, until: int | None = None, **only: str) -> Iterator[Envelope]:
        """Yield the events after this position, oldest first, read in pages; `until` is the last one wanted.

        `only` may name a `type`, or the `correlationid` of a chain.
        """
        limit = PAGE if until is None else min(until - after, PAGE)
        url: str | None = "/events?" + urlencode({"after": after, "limit": limit, **only})
        while url:
            page = self.send("GET", url)
            for event in filter(_is_object, read(page, list[Any])):
                yield event
                if until is not None and event.get("seq", until) >= until:
                    return
            url = page.links["next"]["url"] if "next" in page.links else None

    def whole_log(self) -> list[Any]:
        """Read all events in one request, unchecked: each may be any JSON value."""
        return read(self.send("GET", "/events"), list[Any])

    def follow(self, after: int, last_id: str = "", **only: str) -> Iterator[tuple[str, str]]:
        """Yield the fields, name and value, of the log's Server-Sent Events. Raises `BusAway` when the stream ends.

        `last_id` is the last `id` of an earlier stream, and goes before `after`.
        """
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        path = "/events?" + urlencode({"after": after, **only})
        with self.open("GET", path, headers=headers) as answer, breaks_off("The bus closed the stream."):
            for line in answer.iter_lines(chunk_size=1):
                field, _, value = line.decode().partition(": ")
                yield field, value
        raise BusAway("The bus closed the stream.")

    # -- the log as a file --------------------------------------------------------------------------------------------

    def head(self) -> int:
        """Return the number of the last event, 0 in an empty log."""
        with self.open("GET", "/log") as answer, breaks_off("The bus closed the connection."):
            return read(answer, Header, next(answer.iter_lines(), b"")).events

    def export_log(self) -> Iterator[bytes]:
        """Yield the log's file in chunks, its header line first."""
        with self.open("GET", "/log") as answer, breaks_off("The bus closed the connection."):
            yield from answer.iter_content(CHUNK)

    def import_log(self, lines: Iterable[bytes]) -> dict[str, Any]:
        """Fill an empty log with the chunks of a log's file, all or none; return how many `events` it has."""
        timeout = (self.timeout[0], STORING)
        return read(self.send("PUT", "/log", data=lines, media_type=LINES, timeout=timeout), dict[str, Any])

    # -- subscribers --------------------------------------------------------------------------------------------------

    def register(self, name: str, registration: dict[str, Any]) -> Registration:
        """Register a subscriber, or renew its registration: `url`, log id, `after`, perhaps `ephemeral` (seconds)."""
        return read(self.send("PUT", _of(name), registration), Registration)

    def say_goodbye(self, name: str, registration: dict[str, Any]) -> None:
        """Report that this subscriber stops now."""
        self.send("PUT", _of(name), {**registration, "stopping": True}, timeout=LEAVING)

    def subscribers(self) -> dict[str, dict[str, Any]]:
        """Return each subscriber's state and position, by name."""
        return read(self.send("GET", "/subscribers"), dict[str, dict[str, Any]])

    def subscriber(self, name: str) -> dict[str, Any]:
        """Return one subscriber's state and position."""
        return self.ask("GET", _of(name))

    def pause(self, name: str) -> dict[str, Any]:
        """Pause a subscriber where it is; return its state and position."""
        return self.ask("PATCH", _of(name), {"paused": True})

    def resume(self, name: str) -> dict[str, Any]:
        """End the pause of a subscriber; return its state and position."""
        return self.ask("PATCH", _of(name), {"paused": False})

    def step(self, name: str, count: int = 1) -> dict[str, int]:
        """Deliver the next events to a paused subscriber; return its `position`, and how many were `delivered`."""
        return self.ask("POST", _of(name, "/step"), {"count": count})

    def rewind(self, name: str, to: int = 0) -> dict[str, Any]:
        """Empty a subscriber's state and replay it up to `to`; return its state and position."""
        return self.ask("POST", _of(name, "/rewind"), {"to": to})

    # -- looking back -------------------------------------------------------------------------------------------------

    def state(self, name: str, at: int | None = None, skip: str | None = None) -> dict[str, Any]:
        """Return a service's state after event `at`, now if None, without the events of `skip`."""
        return self.ask("GET", _of(name, "/state"), at=at, skip=skip)

    def changes(self, name: str, **moments: Any) -> dict[str, Any]:
        """Return the changes between two moments of a service: `from_`, `to`, `skip`, `from_skip`."""
        return self.ask("GET", _of(name, "/changes"), **moments)

    def moment(self, name: str, at: int, last: int | None = None) -> dict[str, Any]:
        """Return event `at`, a service's handler for it, its changes, and the `last` entities of the state after it."""
        return self.ask("GET", _of(name, "/moment"), at=at, last=last)


def _of(name: str, what: str = "") -> str:
    """Return the path of a subscriber, or of something below it."""
    return f"/subscribers/{quote(name, safe='')}{what}"


def _is_object(event: Any) -> bool:
    # The course's bus does not check events: any JSON value may be one.
    return isinstance(event, dict)
