"""Server-Sent Events for pages: the whole state first, then each entity that changes. A slow page delays no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterator
from typing import Any

import msgspec
from flask import Response

from minibus.bus.shared_replica import SharedReplica
from minibus.core.event import Envelope

KEEP_ALIVE = 15.0  # seconds of silence before a comment line keeps the connection open
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MANY = 500  # changed entities; with more of them, the stream sends the whole state


class Streams:
    """All open streams of a service."""

    def __init__(self) -> None:
        self._open: set[Stream] = set()

    def note(self, event: Envelope | None) -> None:
        """Note an applied event on every stream; None: the service forgot everything. Never waits for a page."""
        for stream in tuple(self._open):
            stream.note(event)

    def wake(self) -> None:
        """Wake every stream, so that it sends a changed status, or ends."""
        for stream in tuple(self._open):
            stream.awake.set()

    def response(self, stream: Stream) -> Response:
        """Answer a request with its stream, which stays open."""

        def chunks() -> Iterator[bytes]:
            self._open.add(stream)
            try:
                yield from stream.messages()
            finally:
                self._open.discard(stream)

        return Response(chunks(), mimetype="text/event-stream", headers=STREAM_HEADERS)


class Stream:
    """One page's stream: the entities that changed since the last message, each named once.

    `key` finds an entity's id in the data of an event of one of `types`; `show` turns an entity into what is sent.
    """

    def __init__(
        self,
        replica: SharedReplica,
        types: Container[str],
        status: Callable[[], dict[str, Any]],
        stopping: threading.Event,
        entity: str,
        key: Callable[[Any], Any],
        show: Callable[[Any], Any],
    ) -> None:
        self.replica = replica
        self.types = types
        self.status = status
        self.stopping = stopping
        self.entity = entity
        self.key = key
        self.show = show
        self.awake = threading.Event()
        # None means that the whole state has to be sent.
        self.changed: dict[str, None] | None = None

    def note(self, event: Envelope | None) -> None:
        """Note what an event changed. The caller holds the replica's lock."""
        if event is None:
            self.changed = None
        elif self.changed is not None and event["type"] in self.types:
            self.changed[str(self.key(event["data"]))] = None
        self.awake.set()

    def messages(self) -> Iterator[bytes]:
        """Yield the whole state, then each entity that changes, and each new status, until the service stops."""
        sent = None
        yield b"retry: 1000\n\n"
        while not self.stopping.is_set():
            self.awake.clear()
            status = self.status()
            if status != sent:
                sent = status
                yield server_sent("status", status)
            yield b"".join(self._take_changes())
            if not self.awake.wait(KEEP_ALIVE):
                yield b":\n\n"

    def _take_changes(self) -> list[bytes]:
        """Encode what changed, under the lock: no entity may change while it is encoded."""
        with self.replica.changed:
            changed, self.changed = self.changed, {}
            state = self.replica.state
            if changed is None or len(changed) > MANY:
                return [server_sent(f"{self.entity}s", [self.show(entity) for entity in state.values()])]
            return [server_sent(self.entity, self.show(state[key])) for key in changed if key in state]


def server_sent(event: str, data: Any) -> bytes:
    """Encode one Server-Sent Event with JSON data (WHATWG HTML, section 9.2)."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(data))
