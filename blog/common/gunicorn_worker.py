"""What gunicorn runs for every part: the worker class, and a check before the worker starts.

It is no module of `minibus`: gunicorn imports the worker class before gevent patches the worker process, and
importing any module of `minibus` then would leave the libraries below it unpatched.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import socket
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import gevent
from gunicorn import util
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker


def limit_connections(wanted: int, other_files: int) -> int:
    """Return how many connections the limit of open files allows, at most `wanted`; raise that limit if possible."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + other_files
    if resource.RLIM_INFINITY != limit < needed:
        more = needed if most == resource.RLIM_INFINITY else min(needed, most)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, most))
            limit = more
    return min(wanted, limit - other_files)


SILENCE = 35.0  # seconds in which a client must read 64 KiB; longer than a connection may be idle
BEING_REJECTED = 100  # connections that the worker accepts over the limit, only to reject them
OTHER_FILES = 200  # the store of the log, requests to other parts, Python's own
CONNECTIONS = limit_connections(10_000, BEING_REJECTED + OTHER_FILES)


class Worker(GeventWorker):  # type: ignore[misc]
    """Serve with gevent; drop clients that stop reading, and reject connections over the limit."""

    open = 0

    def run(self) -> None:
        """Start the part's background tasks and serve; SIGTERM ends both, and streams too, at once."""
        life = self.app.callable.extensions["minibus"]
        # The traceback of a client that stopped reading helps no reader.
        self.log.error_log.addFilter(lambda record: not (record.exc_info and record.exc_info[0] is TimeoutError))

        def stop() -> None:
            life.stop()
            # After the worker's own greenlet has ended, sys.exit would print a traceback.
            logging.shutdown()
            os._exit(0)

        def on_sigterm(signum: int, frame: Any) -> None:
            self.alive = False
            gevent.spawn(stop)

        signal.signal(signal.SIGTERM, on_sigterm)
        life.start()
        super().run()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve or reject one connection."""
        self.open += 1
        try:
            if self.open > CONNECTIONS:
                reject(client, 503, "Service Unavailable", f"All {CONNECTIONS:,} connections are taken; try later.")
                util.close(client)
            else:
                # The method of GeventWorker would remove this timeout.
                client.settimeout(SILENCE)
                AsyncWorker.handle(self, listener, client, addr)
        finally:
            self.open -= 1


def reject(client: socket.socket, status: int, reason: str, message: str) -> None:
    """Answer a connection that made no valid request, in the one shape of errors."""
    body = json.dumps({"errors": [{"message": f"{reason}: {message}" if message else reason}]}).encode()
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    retry = "Retry-After: 2\r\n" if status == 503 else ""
    client.sendall(f"{head}{retry}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    # A socket that is closed with unread data resets the connection, and the client loses the answer.
    client.shutdown(socket.SHUT_WR)
    with gevent.Timeout(1, False):
        while client.recv(64 * 1024):
            pass


# gunicorn itself answers a malformed request with HTML.
util.write_error = reject


def check_part(server: Any) -> None:
    """Run the check of the part before its worker starts: the function `check` in its package's module `preflight`.

    A part that consists of one module, or has no `preflight`, has nothing to check.
    """
    package, _, _ = server.app.app_uri.partition(":")[0].rpartition(".")
    if package and find_spec(f"{package}.preflight"):
        import_module(f"{package}.preflight").check()
