"""A small HTTP gateway that stands between two parts: it can hold a request, break it off, or lose its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
import urllib3
from minibus.bus.session import request

Watch = Callable[[str, str, bytes], None]


def unmoved(method: str, path: str, body: bytes) -> None:
    """Let a request pass."""


class Gateway:
    """Pass requests on to `route(path)`, and their answers back.

    `before` sees each request (method, path, body) before it is passed on, `after` when its answer is there. Either may
    wait, or raise `Cut`.
    """

    def __init__(self, route: Callable[[str], str], before: Watch = unmoved, after: Watch = unmoved) -> None:
        gateway = self
        self.route = route
        self.before = before
        self.after = after

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                gateway.pass_on(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_any

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Send a request on, and its answer back as it comes; each request has a connection of its own."""
        handler.close_connection = True
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in HOP_BY_HOP}
        target = self.route(handler.path) + handler.path
        try:
            self.before(handler.command, handler.path, body)
            with request(handler.command, target, data=body, headers=headers, stream=True, timeout=60) as answer:
                self.after(handler.command, handler.path, body)
                handler.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in HOP_BY_HOP:
                        handler.send_header(name, value)
                handler.send_header("Connection", "close")
                handler.end_headers()
                for chunk in answer.raw.stream(1, decode_content=False) if is_stream(answer) else [answer.content]:
                    handler.wfile.write(chunk)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, Cut):
            handler.connection.close()

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()


class Cut(Exception):
    """Raised by `before` or `after` to break a connection off."""


def is_stream(answer: requests.Response) -> bool:
    """Whether an answer never ends by itself."""
    return answer.headers.get("Content-Type", "").startswith("text/event-stream")


HOP_BY_HOP = {"connection", "host", "transfer-encoding", "content-length", "content-encoding", "accept-encoding"}
