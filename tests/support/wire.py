"""Bytes on the wire: requests that no HTTP library would send, and what comes back."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any, NamedTuple

from harness.waiting import PATIENCE


class Answer(NamedTuple):
    """What a part answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def request(method: str, path: str, body: bytes = b"", chunk: int = 0, **headers: str) -> bytes:
    """Write a request; `chunk` cuts its body into chunks of so many bytes. `X_Y` is the header X-Y."""
    given = {"Host": "127.0.0.1", "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    if chunk:
        given["Transfer-Encoding"] = "chunked"
        body = in_chunks(body, chunk) + b"0\r\n\r\n"
    elif body or method in ("POST", "PUT", "PATCH"):
        given.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def in_chunks(body: bytes, size: int) -> bytes:
    """Cut a body into chunks (RFC 9112, section 7.1), without the last one."""
    pieces = [body[begin : begin + size] for begin in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def send(port: int, sent: bytes) -> Answer:
    """Send bytes, and read one answer; of a stream without an end only its head."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        with suppress(OSError):  # rejected before it was complete
            connection.sendall(sent)
        answer = HTTPResponse(connection, method="HEAD" if sent.startswith(b"HEAD ") else None)
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        endless = headers.get("content-type", "").startswith("text/event-stream")
        return Answer(answer.status, headers, b"" if endless else answer.read())


def assert_answered_well(answer: Answer, sent: bytes) -> None:
    """Check that this is a correct answer, or the one error shape; 5xx only as HTTP itself or a contract means it."""
    what = (sent[:2000], answer)
    if answer.status == 503:  # another part is down, which a contract allows
        assert answer.headers["retry-after"], what
    elif answer.status >= 500:  # RFC 9112, section 6.1: an unknown transfer coding
        assert answer.status == 501, what
        assert b"ransfer-" in sent, what
    if answer.status < 400:
        return
    assert answer.headers["content-type"] == "application/json", what
    if sent.startswith(b"HEAD "):
        return
    errors = answer.json["errors"]
    assert errors, what
    for error in errors:
        assert set(error) <= {"message", "field"}, what
        assert error["message"], what
