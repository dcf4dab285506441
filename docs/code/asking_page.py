"""A page without data of its own: each view requests posts once, and comments once for every post."""

from typing import Any

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/")
def page() -> tuple[str, dict[str, str]]:
    """Show the posts with their comments, and the number of requests that this page made."""
    requests_made = 0

    def ask(address: str) -> Any:
        nonlocal requests_made
        requests_made += 1
        return requests.get(address, timeout=10).json()

    lines = []
    for post in sorted(ask("http://127.0.0.1:4000/posts").values(), key=lambda post: str(post["title"])):
        lines.append(post["title"])
        for comment in ask(f"http://127.0.0.1:4001/posts/{post['id']}/comments"):
            lines.append(f"  - {comment['content']}")
    lines.append(f"({requests_made} requests)\n")
    return "\n".join(lines), {"Content-Type": "text/plain; charset=utf-8"}


if __name__ == "__main__":
    app.run(port=3000)
