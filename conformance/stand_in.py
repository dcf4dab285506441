"""Stand in for posts, comments and query behind a page: serve the posts of a rule, and record what the page sends."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

from conformance.answer import as_json
from conformance.contract import Broken
from conformance.server import Server
from harness.server import Answer, Pieces, Request, json_answer

LISTEN_AGAIN = 0.1  # seconds


class BlogStandIn:
    """The three services at one address. The browser routes every request for `/posts…` to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.posts: dict[str, dict[str, Any]] = {}
        self.refusal: Answer | None = None  # if set, the answer to every write
        self.written: list[tuple[str, Any]] = []  # path and body of each write
        self.is_open = True
        self.server = Server(urlsplit(url).port or 80, "stand-in for query", self._respond)

    def _respond(self, request: Request) -> Answer:
        method, path = request.method, request.path
        comments = re.fullmatch("/posts/([^/]+)/comments", path)
        if method == "OPTIONS":
            return json_answer(200, {})
        if method == "POST" and (comments or path in ("/posts", "/posts/create")):
            return self._write(path, comments[1] if comments else "", request.body)
        if method == "GET" and path == "/posts":
            return json_answer(200, self.posts)
        if method == "GET" and path == "/posts/stream":
            return Answer(200, {"Content-Type": "text/event-stream"}, self._stream())
        if method == "GET" and comments:
            return json_answer(200, self.posts.get(comments[1], {"comments": []})["comments"])
        return json_answer(404, {"errors": [{"message": f"This stand-in has no {method} {path}."}]})

    def _write(self, path: str, post_id: str, body: bytes) -> Answer:
        try:
            sent = json.loads(body)
        except ValueError:
            sent = body.decode(errors="replace")
        self.written.append((path, sent))
        if self.refusal:
            return self.refusal
        fields = sent if isinstance(sent, dict) else {}
        if post_id:
            new = comment("c0ffee01", fields.get("content"), "pending")
            return json_answer(201, [*self.posts[post_id]["comments"], new])
        return json_answer(201, {"id": "c0ffee02", "title": fields.get("title")})

    def _stream(self) -> Pieces:
        """Yield all posts at the start and after each change, as query's stream does."""
        sent = None
        while self.is_open:
            if (now := json.dumps(list(self.posts.values()))) != sent:
                sent = now
                yield f"event: posts\ndata: {now}\n\n".encode()
            time.sleep(LISTEN_AGAIN)

    def show(self, *posts: dict[str, Any]) -> None:
        """Replace the posts with these, and clear the recorded writes."""
        self.posts = {post["id"]: post for post in posts}
        self.written.clear()
        self.refusal = None

    def was_sent(self, wanted: dict[str, str], *paths: str) -> None:
        """Check that these fields were sent to one of these paths. Raises `Broken`."""
        if not any(path in paths and has(sent, wanted) for path, sent in list(self.written)):
            found = "; ".join(f"POST {path} {as_json(sent)}" for path, sent in self.written)
            raise Broken(f"POST {' or '.join(paths)} {as_json(wanted)}", found or "no request")


def comment(comment_id: str, content: Any, status: str) -> dict[str, Any]:
    """Return a comment in the shape of query's answer."""
    return {"id": comment_id, "content": content, "status": status}


def has(sent: Any, wanted: dict[str, str]) -> bool:
    """Return whether a body is an object with the wanted fields."""
    return isinstance(sent, dict) and sent.items() >= wanted.items()
