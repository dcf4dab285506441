"""gunicorn's settings for every part: `gunicorn -c blog/common/gunicorn.conf.py posts:app`."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import gevent
from gunicorn import util
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker


def room_for(connections: int, besides: int) -> int:
    """Return for how many connections there is room, and take as many files for them as the system lets us have."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + besides
    if resource.RLIM_INFINITY != allowed < wanted:
        more = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, most))
            allowed = more
    return min(connections, allowed - besides)


class Worker(GeventWorker):  # type: ignore[misc]
    """gunicorn's worker, which waits for nobody for ever: neither for who does not read, nor for a connection."""

    taken = 0

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection, or refuse it."""
        self.taken += 1
        try:
            if self.taken > CONNECTIONS:
                refuse(client, 503, "Service Unavailable", f"All {CONNECTIONS:,} connections are taken; try later.")
                util.close(client)
            else:
                # Not gunicorn's own for gevent, which would wait for ever.
                client.settimeout(SILENCE)
                AsyncWorker.handle(self, listener, client, addr)
        finally:
            self.taken -= 1


def refuse(client: socket.socket, status: int, reason: str, message: str) -> None:
    """Refuse what did not become a request, in the one shape of errors."""
    body = json.dumps({"errors": [{"message": f"{reason}: {message}" if message else reason}]}).encode()
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    retry = "Retry-After: 2\r\n" if status == 503 else ""
    client.sendall(f"{head}{retry}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    # Closed with something unread, a connection is reset, and the answer lost.
    client.shutdown(socket.SHUT_WR)
    with gevent.Timeout(1, False):
        while client.recv(64 * 1024):
            pass


# What gunicorn refuses by itself, broken headers and the like, it says in HTML.
util.write_error = refuse

SILENCE = 35.0  # seconds for 64 KiB to be taken; longer than a connection may be idle
REFUSING = 100  # connections that are being refused
OTHER_FILES = 200  # the log, the deliveries, Python's own
CONNECTIONS = room_for(10_000, besides=REFUSING + OTHER_FILES)

bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
# State lives in one process; a connection that only listens costs a greenlet.
workers = 1
worker_class = Worker
worker_connections = CONNECTIONS + REFUSING
# A delivery names all parked events in one header, and there may be thousands; so there are fewer headers.
limit_request_field_size = 32 * 1024
limit_request_fields = 50
keepalive = 30
timeout = 30
graceful_timeout = 3
control_socket_disable = True
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Let the bus try its store before anything runs: what is wrong with it takes one line to say."""
    if server.app.app_uri.startswith("event_bus"):
        # Nothing else of ours is imported here: gevent patches the worker, after the fork.
        from event_bus.log.store import StoreError, open_store  # noqa: PLC0415

        try:
            open_store().close()
        except StoreError as error:
            sys.exit(f"event-bus: {error}")


def post_worker_init(worker: Any) -> None:
    """Start the background tasks in the worker, and end them, streams too, as soon as SIGTERM comes."""
    life = worker.app.callable.extensions["minibus"]
    # Who reads too slowly is let go: nothing that needs a traceback.
    worker.log.error_log.addFilter(lambda record: not (record.exc_info and record.exc_info[0] is TimeoutError))

    def stop() -> None:
        life.stop()
        # Not sys.exit: where the worker's own greenlet has ended meanwhile, that prints a traceback.
        logging.shutdown()
        os._exit(0)

    def on_sigterm(signum: int, frame: Any) -> None:
        worker.alive = False
        gevent.spawn(stop)

    signal.signal(signal.SIGTERM, on_sigterm)
    life.start()
