"""A small HTTP server in a thread: it answers with one function, can be closed and opened again, and can hang up."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from email.message import Message
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

LONGEST_BODY = 16 * 1024 * 1024  # bytes of a request
SILENCE = 60.0  # seconds that a client may be silent in the middle of a request
LOOK = 0.02  # seconds between two looks whether the server has been closed


Pieces = Generator[bytes, None, None]


class Request(NamedTuple):
    """A request, complete."""

    method: str
    path: str
    headers: Message
    body: bytes


class Answer(NamedTuple):
    """An answer: a body of bytes, or pieces of one that go out as they come."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Pieces


class Cut(Exception):
    """Break the connection off, perhaps after the first half of an answer's body."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__("the connection is cut")
        self.answer = answer


Respond = Callable[[Request], Answer]


def json_answer(status: int, content: Any, **headers: str) -> Answer:
    """Return an answer in JSON."""
    return Answer(status, {"Content-Type": "application/json", **headers}, json.dumps(content).encode())


class Server:
    """Answer at `port` of these hosts with `respond`, which may raise `Cut`. Port 0 takes a free one.

    By default each request has a connection of its own, so that none outlives the server.
    """

    def __init__(
        self, respond: Respond, port: int = 0, hosts: Iterable[str] = ("127.0.0.1",), keeps_connections: bool = False
    ) -> None:
        self.respond = respond
        self.port = port
        self.hosts = tuple(hosts)
        self.keeps_connections = keeps_connections
        self._listening: list[ThreadingHTTPServer] = []

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Listen. Raises `OSError` where the first host cannot; a machine may lack the others, such as `::1`."""
        for host in self.hosts:
            try:
                server = listen(self, host)
            except OSError:
                if host == self.hosts[0]:
                    raise
                continue
            self.port = server.server_port
            threading.Thread(target=server.serve_forever, args=(LOOK,), daemon=True).start()
            self._listening.append(server)

    def close(self) -> None:
        """Stop listening: the next connection is refused."""
        while self._listening:
            server = self._listening.pop()
            server.shutdown()
            server.server_close()


def listen(server: Server, host: str) -> ThreadingHTTPServer:
    """Open the server at one host. Raises `OSError`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = SILENCE

        def handle_any(self) -> None:
            self.close_connection = not server.keeps_connections
            request = read(self)
            if request is None:
                self.close_connection = True
                return
            try:
                write(self, server.respond(request))
            except Cut as cut:
                self.close_connection = True
                if cut.answer:
                    write(self, cut.answer, share=0.5)
            except (OSError, HTTPException):
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_any

        def log_message(self, *args: Any) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128  # a browser and a bus connect in bursts

        def handle_error(self, *args: Any) -> None:
            """Print what our own code raised; a client that is killed breaks its connection off, which is no news."""
            if not isinstance(sys.exception(), OSError):
                super().handle_error(*args)

    return Listening((host, server.port), Handler)


def read(handler: BaseHTTPRequestHandler) -> Request | None:
    """Return the request, None where it is longer than it may be, or its client has gone in the middle."""
    length = int(handler.headers.get("Content-Length") or 0)
    if length > LONGEST_BODY:
        return None
    body = handler.rfile.read(length)
    return Request(handler.command, handler.path, handler.headers, body) if len(body) == length else None


def write(handler: BaseHTTPRequestHandler, answer: Answer, share: float = 1.0) -> None:
    """Send an answer, or the first part of its body."""
    handler.close_connection |= not isinstance(answer.body, bytes)  # a stream ends with its connection
    handler.send_response_only(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if isinstance(answer.body, bytes):
        handler.send_header("Content-Length", str(len(answer.body)))
    if handler.close_connection:
        handler.send_header("Connection", "close")
    handler.end_headers()
    if isinstance(answer.body, bytes):
        handler.wfile.write(answer.body[: int(len(answer.body) * share)])
        return
    with closing(answer.body) as pieces:
        for piece in pieces:
            handler.wfile.write(piece)
