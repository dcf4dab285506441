"""Requests of an attacker without a plan: what exists, spoilt at random; the same requests for the same seed."""

from __future__ import annotations

import gzip
import json
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from tests.support.wire import request

TEXTS = [
    *("", " ", "x", "Grüße, 世界", "\x00", "a\x00b", "\u202eright to left", "\u2066\u2069", "\ufeff", "\x1b[2J\x07"),
    *("<script>document.title='owned'</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "{{7*7}}"),
    *("' OR 1=1 --", '"; DROP TABLE events; --', "../../etc/passwd", "..\\..\\boot.ini", "%00", "%2e%2e%2f", "%s%n%x"),
    *("a\r\nX-Injected: yes", "data: x\n\nevent: reset", "7,9*", "-1", "1e400", "²", "٣", "0" * 5000, "9" * 400),
    *("x" * 201, "x" * 2001, "x" * 9000, "x" * 70_000, "__proto__", "constructor", "None", "true", "\U0001f4a9" * 50),
]
# As JSON text, because Python's own encoder would not write them.
RAW = [
    *("null", "true", "0", "-0", "-1", "1.5", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "01", "0x1", "{}", "[]"),
    *("1" + "0" * 30, "-1" + "0" * 400, "1" + "0" * 5000, str(2**63), str(2**64), "[" * 99 + "]" * 99),
    *(
        "[" * 101 + "]" * 101,
        '{"a":' * 101 + "1" + "}" * 101,
        "[" * 50_000,
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\u0000"',
    ),
    *('"\\x"', "'x'", '"', "[1,]", '{"a":1,"a":2}', "\x00", "\ufeff{}"),
]
POST = {"id": "1f2e3d4c", "title": "Hello"}
COMMENT = {"id": "5a6b7c8d", "content": "Hello", "postId": "1f2e3d4c", "status": "pending"}
EVENTS: list[Any] = [
    {"type": "PostCreated", "data": POST},
    {"type": "CommentCreated", "data": COMMENT},
    {"type": "CommentModerated", "data": {**COMMENT, "status": "approved"}, "seq": 3},
    {"type": "CommentUpdated", "data": {**COMMENT, "status": "rejected"}},
    {"specversion": "1.0", "id": "e1", "source": "/fuzz", "type": "Happened", "time": "2026-01-01T00:00:00Z"},
]
BODIES: list[Any] = [
    *({"title": "Hello"}, {"content": "Hello"}, *EVENTS, EVENTS, EVENTS[:1] * 3, {"paused": True}, {"count": 1}),
    *({"to": 0}, {"token": "x"}, {"url": "http://127.0.0.1:1", "log": None, "after": 0, "ephemeral": 2.5}),
]
TYPES = ["application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson", "text/plain"]
TYPES += ["application/json; charset=utf-16", "multipart/form-data; boundary=x", "a/b; c=\x00", "", "x" * 4000]
BOMB = gzip.compress(b"[" + b"0," * 20_000_000 + b"0]")  # 40 MB in 39 KB
QUERY = ["after", "limit", "type", "contains", "correlationid", "at", "skip", "from", "to", "last", "ids", "from_skip"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"]
HEADERS = ["Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie", "Origin", "Host", "Range"]
HEADERS += ["Last-Event-ID", "Minibus-Log", "Minibus-Head", "Minibus-Skip", "Content-Encoding", "X-Forwarded-Host"]
HEADERS += ["Access-Control-Request-Method", "If-None-Match", "Forwarded", "Upgrade", "X-HTTP-Method-Override"]


class Fuzzer(Random):
    """Draws requests for a part with these routes, such as `POST /posts/{post_id}/comments`."""

    def __init__(self, seed: int, routes: list[str], names: dict[str, list[str]]) -> None:
        super().__init__(seed)
        self.routes = routes
        self.names = names  # what may stand in the braces of a route

    def one_in(self, count: int) -> bool:
        """Return True once in `count` times."""
        return self.randrange(count) == 0

    def draw(self) -> bytes:
        """Draw a request."""
        method, path = self.choice(self.routes).split(" ")
        headers = {"Content-Type": "application/json"}
        body = b""
        if method in ("POST", "PUT", "PATCH") or self.one_in(10):
            body = self.body()
        if self.one_in(3):
            headers["Content-Type"] = self.choice(TYPES)
        for _ in range(self.choice([0, 0, 1, 3])):
            headers[self.choice(HEADERS)] = self.header()
        if self.one_in(30):
            method = self.choice(METHODS)
        chunk = self.choice([0, 0, len(body) // 500 + 1, len(body)])
        return request(method, self.path(path), body, chunk, **headers)

    def path(self, route: str) -> str:
        """Fill in a route, add a query, and sometimes spoil it."""
        path = "/".join(self.part(part) if part.startswith("{") else part for part in route.split("/"))
        if self.one_in(2):
            values = {name: self.value() for name in self.sample(QUERY, self.randrange(1, 4))}
            path += "?" + urlencode(values, errors="replace")
        if self.one_in(20):
            path = self.choice(["/", "/..", "/%2e%2e", "/static/..", "//127.0.0.1", "/%00", "/;", "/\\"]) + path
        return path[:4000]

    def part(self, name: str) -> str:
        """Return what stands in braces: one of its names, or no name at all."""
        return self.choice(self.names[name]) if self.one_in(2) else quote(self.choice(TEXTS)[:900], safe="")

    def value(self) -> str:
        """Return a parameter's value: a small number mostly."""
        return str(self.randrange(12)) if self.one_in(2) else self.choice(TEXTS)[:900]

    def header(self) -> str:
        """Return a header's value. A line's end in it would make two headers: what it injects is none of our names."""
        return self.choice([*TEXTS, "text/event-stream", "application/x-ndjson", "gzip", "bytes=0-9", "*/*;q=0"])[:3000]

    def body(self) -> bytes:
        """Return a body that was a good one."""
        text = self.spoil(self.choice(BODIES)) if not self.one_in(8) else self.choice(RAW)
        body = text.encode("utf-8", "surrogatepass")
        return self.choice(
            [
                *[body] * 12,
                body[: self.randrange(len(body) + 1)],
                text.encode("utf-16", "surrogatepass"),
                b"\xff" + body,
                gzip.compress(body),
                BOMB,
                body.ljust(self.choice([65_536, 300_000]), b" "),
            ]
        )

    def spoil(self, value: Any) -> str:
        """Write JSON, with something in it replaced, left out, or put in."""
        if self.one_in(10):
            return self.choice(RAW) if self.one_in(2) else json.dumps(self.choice(TEXTS))
        if isinstance(value, dict):
            items = [(json.dumps(name), self.spoil(inner)) for name, inner in value.items() if not self.one_in(12)]
            if self.one_in(8):
                items.append((json.dumps(self.choice([*TEXTS, "seq", "id", "source", "time"])), self.choice(RAW)))
            return "{" + ",".join(f"{name}:{inner}" for name, inner in items) + "}"
        if isinstance(value, list):
            return "[" + ",".join(self.spoil(inner) for inner in value) + "]"
        return json.dumps(value)
