"""Server-Sent Events for pages: everything first, then whatever changes. A slow page costs others nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response

from minibus.core.event import Envelope

if TYPE_CHECKING:
    from minibus.service import Service

KEEP_ALIVE = 15.0  # seconds of silence before a comment line says that we are still there
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MANY = 500  # so many changed entities are sent as everything


class Streams:
    """All the pages that listen to a service."""

    def __init__(self) -> None:
        self._open: set[Stream] = set()

    def note(self, event: Envelope | None) -> None:
        """Tell every page what was applied; None: everything was forgotten. Never waits for a page."""
        for stream in tuple(self._open):
            stream.note(event)

    def wake(self) -> None:
        """Let every page look again."""
        for stream in tuple(self._open):
            stream.awake.set()

    def response(self, stream: Stream) -> Response:
        """Answer a page with its stream, which stays open."""

        def chunks() -> Iterator[bytes]:
            self._open.add(stream)
            try:
                yield from stream.messages()
            finally:
                self._open.discard(stream)

        return Response(chunks(), mimetype="text/event-stream", headers=STREAM_HEADERS)


class Stream:
    """What one page has yet to hear: the entities that changed since it last heard, each named once."""

    def __init__(self, service: Service, entity: str, key: Callable[[Any], Any], show: Callable[[Any], Any]) -> None:
        self.service = service
        self.entity = entity
        self.key = key
        self.show = show
        self.awake = threading.Event()
        # None stands for everything.
        self.changed: dict[str, None] | None = None

    def note(self, event: Envelope | None) -> None:
        """Remember what an event changed. Called with the replica's lock held."""
        if event is None:
            self.changed = None
        elif self.changed is not None and event["type"] in self.service.handlers:
            self.changed[str(self.key(event["data"]))] = None
        self.awake.set()

    def messages(self) -> Iterator[bytes]:
        """Yield everything, then each entity that changes, and the status, until the service stops."""
        status = None
        yield b"retry: 1000\n\n"
        while not self.service.life.stopping.is_set():
            self.awake.clear()
            if status != self.service.link.status:
                status = self.service.link.status
                yield server_sent("status", status)
            yield b"".join(self._take_changes())
            if not self.awake.wait(KEEP_ALIVE):
                yield b":\n\n"

    def _take_changes(self) -> list[bytes]:
        """Encode what changed, under the lock, so that no entity is seen half changed."""
        with self.service.replica.changed:
            changed, self.changed = self.changed, {}
            state = self.service.state
            if changed is None or len(changed) > MANY:
                return [server_sent(f"{self.entity}s", [self.show(entity) for entity in state.values()])]
            return [server_sent(self.entity, self.show(state[key])) for key in changed if key in state]


def server_sent(event: str, data: Any) -> bytes:
    """Encode one Server-Sent Event with JSON data (WHATWG HTML, section 9.2)."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(data))
