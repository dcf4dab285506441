"""Fill the running blog with posts and comments over HTTP: `make demo`."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Any

import requests
from minibus.bus.session import new_session
from rich.progress import track

from infra.local.demo_texts import POSTS
from infra.parts import url

PATIENCE = 10.0  # seconds for moderation to judge the last comment

session = new_session()


def main() -> None:
    """Write the missing texts, wait until moderation has judged them, and print the counts."""
    ids = {post["title"]: post["id"] for post in get("posts", "/posts").values()}
    written = sum(write(title, comments, ids.get(title)) for title, comments in track(POSTS.items(), "Writing"))
    statuses = count_statuses()
    deadline = time.monotonic() + PATIENCE
    while statuses["pending"] and time.monotonic() < deadline:
        time.sleep(0.1)
        statuses = count_statuses()
    print(f"{written} texts are new." if written else "Nothing to add: the demo is there already.")
    shown = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    print(
        f"The blog has {len(get('query', '/posts'))} posts and {statuses.total()} comments ({shown}): {url('client')}"
    )
    if statuses["pending"]:
        print("Some comments are still pending. Is moderation running? See: make status")


def write(title: str, comments: list[str], post_id: str | None) -> int:
    """Write a post and its comments, except those that exist; return the number of texts written."""
    new = post_id is None
    path = f"/posts/{post_id or send('posts', '/posts/create', {'title': title})['id']}/comments"
    there = {comment["content"] for comment in get("comments", path)}
    missing = [content for content in comments if content not in there]
    for content in missing:
        send("comments", path, {"content": content})
    return new + len(missing)


def count_statuses() -> Counter[str]:
    """Count the comments that query shows, by status."""
    return Counter(comment["status"] for post in get("query", "/posts").values() for comment in post["comments"])


def get(part: str, path: str) -> Any:
    """Return the JSON at this path of a part."""
    return checked(session.get(url(part) + path, timeout=10))


def send(part: str, path: str, body: dict[str, str]) -> Any:
    """Send JSON to a part; return its answer."""
    return checked(session.post(url(part) + path, json=body, timeout=10))


def checked(answer: requests.Response) -> Any:
    """Return the JSON of an answer. Exits with the error of an answer that is not ok."""
    if not answer.ok:
        sys.exit(f"{answer.url} answers {answer.status_code}: {answer.text.strip()}")
    return answer.json()


if __name__ == "__main__":
    try:
        main()
    except requests.ConnectionError as error:
        asked = error.request.url if error.request else "the blog"
        sys.exit(f"No answer from {asked}. Is the blog running? Start it with: make up")
