"""A small HTTP server inside the checker, at `127.0.0.1` and, if there is one, `::1`: localhost may be either."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psutil

Reply = tuple[int, Any]  # status, and what is sent as JSON, or an iterator of texts that go out one by one
Respond = Callable[[str, str, bytes, str], Reply]  # method, path, body, its media type


class CannotCheck(Exception):
    """Why nothing can be checked, and what to do about it: no verdict, neither good nor bad."""


class Server:
    """Answers at one port of this machine, in the place of a part of the blog; it can be closed and opened again."""

    def __init__(self, port: int, part: str, respond: Respond) -> None:
        self.port = port
        self.part = part
        self.respond = respond
        self._listening: list[ThreadingHTTPServer] = []

    def open(self) -> None:
        """Listen. Raises `CannotCheck` where somebody else does."""
        if is_taken(self.port):
            raise CannotCheck(
                f"Port {self.port} is in use by {owner(self.port)}, and the checker's own {self.part} has to listen "
                "there. End it first: Ctrl-C where it runs; if it is one of ours: "
                f"make stop SERVICE={self.part.rpartition(' ')[2]}"
            )
        for address in ("127.0.0.1", "::1"):
            try:
                server = _listen(address, self.port, self.respond)
            except OSError as error:
                if address == "127.0.0.1":
                    raise CannotCheck(f"The checker cannot listen at port {self.port}: {error}.") from None
                continue  # a machine without IPv6
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            self._listening.append(server)

    def close(self) -> None:
        """Listen no longer: who knocks is refused."""
        while self._listening:
            server = self._listening.pop()
            server.shutdown()
            server.server_close()


def _listen(address: str, port: int, respond: Respond) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        """One connection a request, so that none outlives the server."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = respond(self.command, self.path, body, self.headers.get("Content-Type") or "")
            streams = isinstance(content, Iterator)
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if streams else "application/json")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "*")
            self.end_headers()
            for text in content if streams else [json.dumps(content)]:
                self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

        def log_message(self, *args: Any) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        daemon_threads = True
        request_queue_size = 64
        block_on_close = False

        def handle_error(self, *args: Any) -> None:
            """Say nothing: who hangs up on us is no news."""

    return Listening((address, port), Handler)


def is_taken(port: int) -> bool:
    """Whether anybody listens at this port."""
    for address in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((address, port), timeout=0.5).close()
        except OSError:
            continue
        return True
    return False


def owner(port: int) -> str:
    """Say who listens at this port, as far as we may know."""
    for process in psutil.process_iter():
        try:
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                    return f"{process.name()} (process {process.pid})"
        except psutil.Error:
            continue
    return "another program"
