"""People who write, several at once, and note each answer. They retry as a client does."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from minibus import new_id

CROWD = 8  # who write at the same time
TRIES = 4
ANSWER = 12.0  # seconds
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


@dataclass
class Deed:
    """What a person wrote, and its outcome.

    `marks` are texts of its events that nothing else has. `outcome`: `acknowledged`; `unknown` after an answer that was
    lost; `refused` while every answer said that nothing was stored, or no server was there.
    """

    marks: list[str]
    outcome: str = "refused"
    numbers: list[list[int]] = field(default_factory=list)  # the `seq` of every event, from each answer that told it
    complaints: list[str] = field(default_factory=list)

    def doubt(self) -> None:
        """Note that an answer was lost."""
        if self.outcome == "refused":
            self.outcome = "unknown"


class People:
    """Those who write, to the services at `url(name)`, and on the bus at `bus`."""

    def __init__(self, url: Callable[[str], str], bus: str) -> None:
        self.url = url
        self.bus = bus
        self.posts: list[str] = []  # ids of posts that were acknowledged
        self.deeds: list[Deed] = []
        self.stopping = threading.Event()
        self._crowd = ThreadPoolExecutor(CROWD)
        self._busy: list[Future[None]] = []

    def write_post(self) -> None:
        """Write a post, and do not wait."""
        self._begin(self._write_post, [mark("Post")])

    def write_comment(self, number: int, orange: bool) -> None:
        """Comment on a post, and do not wait; nothing happens while there is none."""
        if self.posts:
            post = self.posts[number % len(self.posts)]
            self._begin(self._write_comment, [mark("Orange" if orange else "Comment")], post)

    def publish(self, comments: int, again: bool) -> None:
        """Publish one event, or a post and its comments, and do not wait."""
        marks = [mark("Event") for _ in range(comments + 1)]
        self._begin(self._publish, marks, invent(marks), again)

    def publish_misfit(self) -> None:
        """Publish a post without a title, and do not wait."""
        marks = [mark("Misfit")]
        [event] = invent(marks)
        self._begin(self._publish, marks, [{**event, "type": "PostCreated"}], False)

    def finish(self) -> None:
        """Wait until every person has an answer, or has given up."""
        for future in self._busy:
            future.result()
        self._busy.clear()

    def go_home(self) -> None:
        """Stop all writing."""
        self.stopping.set()
        self._crowd.shutdown()

    def _begin(self, write: Callable[..., None], marks: list[str], *details: Any) -> None:
        deed = Deed(marks)
        self.deeds.append(deed)
        self._busy.append(self._crowd.submit(write, deed, *details))

    def _write_post(self, deed: Deed) -> None:
        answer = self._send(deed, f"{self.url('posts')}/posts/create", {"title": deed.marks[0]})
        if answer:
            self.posts.append(answer["id"])

    def _write_comment(self, deed: Deed, post: str) -> None:
        thread = self._send(deed, f"{self.url('comments')}/posts/{post}/comments", {"content": deed.marks[0]})
        if thread and deed.marks[0] not in [comment["content"] for comment in thread]:
            deed.complaints.append("the answer to a comment does not show it")

    def _publish(self, deed: Deed, events: list[dict[str, Any]], again: bool) -> None:
        """Publish with ids of our own, until there is an answer; `again`: once more, although there was one."""
        for _ in range(TRIES):
            answer = self._send(deed, f"{self.bus}/events", events if len(events) > 1 else events[0])
            if answer:
                deed.numbers.append([event["seq"] for event in answer.get("events", [answer])])
                if not again:
                    break
            self.stopping.wait(0.1)

    def _send(self, deed: Deed, url: str, body: Any) -> Any:
        """Send JSON; note the outcome, and return the answer, or None if there was no good one."""
        headers = BATCH if isinstance(body, list) else None
        try:
            answer = requests.post(url, json=body, headers=headers, timeout=ANSWER)
        except requests.RequestException as error:
            if not never_connected(error):
                deed.doubt()
            return None
        if answer.ok:
            deed.outcome = "acknowledged"
            return answer.json()
        if answer.status_code != 503:
            deed.complaints.append(f"{url} answered {answer.status_code}: {answer.text}")
        elif "may have been stored" in answer.text:
            deed.doubt()
        return None


def mark(kind: str) -> str:
    """Make up a text that nothing else has."""
    return f"{kind} {uuid.uuid4().hex[:8]}"


def invent(marks: list[str]) -> list[dict[str, Any]]:
    """Invent a post and its comments, or an event of an unknown type, as a foreign service does."""
    envelopes = [{"specversion": "1.0", "id": uuid.uuid4().hex, "source": "/people"} for _ in marks]
    if len(marks) == 1:
        return [{**envelopes[0], "type": "Noted", "data": {"text": marks[0]}}]
    post = {"id": new_id(), "title": marks[0]}
    comments = [
        {"id": new_id(), "postId": post["id"], "content": content, "status": "pending"} for content in marks[1:]
    ]
    facts = [("PostCreated", post), *(("CommentCreated", comment) for comment in comments)]
    return [{**envelope, "type": kind, "data": data} for envelope, (kind, data) in zip(envelopes, facts, strict=True)]


def never_connected(error: requests.RequestException) -> bool:
    """Tell whether the request reached no server."""
    return isinstance(error, requests.ConnectionError) and "NewConnectionError" in repr(error)
