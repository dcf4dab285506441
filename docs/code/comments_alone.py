"""comments, alone: keeps its comments, and publishes no event.

DELAY=2 adds two seconds to each list of comments.
"""

import os
import secrets
import time

from flask import Flask, request

DELAY = float(os.environ.get("DELAY", "0"))  # seconds

app = Flask(__name__)
comments: dict[str, list[dict[str, str]]] = {}


@app.get("/posts/<post_id>/comments")
def list_comments(post_id: str) -> list[dict[str, str]]:
    """Show the comments on one post."""
    time.sleep(DELAY)
    return comments.get(post_id, [])


@app.post("/posts/<post_id>/comments")
def create_comment(post_id: str) -> tuple[list[dict[str, str]], int]:
    """Keep a comment on a post."""
    comment = {"id": secrets.token_hex(4), "content": request.get_json()["content"]}
    comments.setdefault(post_id, []).append(comment)
    return comments[post_id], 201


if __name__ == "__main__":
    app.run(port=4001)
