"""Server-Sent Events: follow the log, or the deliveries. A client resumes after a break without loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
from flask import Flask, Response, request
from minibus.http.stream import KEEP_ALIVE, STREAM_HEADERS, server_sent

from event_bus.delivery.deliveries import Deliveries
from event_bus.log.log import Log, in_pieces
from event_bus.log.store.interface import Only

STREAM = "text/event-stream"
Stopping = Callable[[], bool]


def add_delivery_stream(app: Flask, deliveries: Deliveries) -> None:
    """Add the stream of deliveries."""

    @app.get("/deliveries")
    def show_deliveries() -> Response:
        """Follow the deliveries: which events, to which subscriber, with which result, in how many milliseconds."""
        return follow_deliveries(deliveries, app.extensions["minibus"].stopping.is_set)


def follow_log(log: Log, after: int, only: Only, stopping: Stopping) -> Response:
    """Stream events as they are stored. Their ids are `log_id:seq`."""
    after, reset = resume(log.id, log.head, after)

    def messages() -> Iterator[bytes]:
        position = after
        # `log` is the older name of `log_id`.
        yield b"retry: 1000\n\n" + (server_sent("reset", {"log_id": log.id, "log": log.id}) if reset else b"")
        while not stopping():
            head = log.head
            page = log.read(position, only=only)
            if page:
                position = page[-1].seq
                for piece in in_pieces(page):
                    yield b"".join(b"id: %s:%d\ndata: %s\n\n" % (log.id.encode(), seq, body) for seq, body in piece)
                continue
            position = head
            if not log.wait_beyond(position, KEEP_ALIVE, stopping):
                yield b":\n\n"

    return Response(messages(), mimetype=STREAM, headers=STREAM_HEADERS)


def follow_deliveries(deliveries: Deliveries, stopping: Stopping) -> Response:
    """Stream the kept deliveries, then each new one. Their ids are `run:number`."""
    after, reset = resume(deliveries.run, deliveries.count, 0)

    def messages() -> Iterator[bytes]:
        position = after
        yield b"retry: 1000\n\n" + (server_sent("reset", {"run": deliveries.run}) if reset else b"")
        while not stopping():
            news = deliveries.after(position)
            for delivery in news:
                position = delivery.number
                body = msgspec.json.encode(delivery)
                yield b"id: %s:%d\ndata: %s\n\n" % (deliveries.run.encode(), position, body)
            if news:
                continue
            if not deliveries.wait_beyond(position, KEEP_ALIVE, stopping):
                yield b":\n\n"

    return Response(messages(), mimetype=STREAM, headers=STREAM_HEADERS)


def resume(identity: str, head: int, after: int) -> tuple[int, bool]:
    """Return where to resume: after `Last-Event-ID`, or at 0 with a reset if that id is of another log or run."""
    last = request.headers.get("Last-Event-ID")
    if last is None:
        return after, False
    origin, _, number = last.rpartition(":")
    if origin == identity and number.isascii() and number.isdigit() and len(number) <= 18 and int(number) <= head:
        return int(number), False
    return 0, True
