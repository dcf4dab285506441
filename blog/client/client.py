"""The page: rendered here with its posts, then kept up to date by the browser. It keeps nothing."""

from __future__ import annotations

import os
from typing import Any

import requests
from flask import Response, render_template, request
from minibus.bus import session
from minibus.http.app import create_app, run
from minibus.http.page import add_theme, protect_page

QUERY_URL = os.environ.get("QUERY_URL", "http://127.0.0.1:4002")
PATIENCE = (0.5, 2.0)  # seconds to connect, seconds to answer: a reader waits for this page

# What stands for a comment that is not approved. The browser reads these phrases from the page.
PHRASES = {
    "pending": "This comment is awaiting moderation",
    "rejected": "This comment has been rejected",
}

app = create_app(__name__)
add_theme(app)


@app.get("/")
def page() -> str:
    """Show all the posts, newest first; without them where query is away."""
    posts = ask_query()
    return render_template("index.html", posts=posts or [], query_is_away=posts is None, phrases=PHRASES)


def ask_query() -> list[dict[str, Any]] | None:
    """Return the posts as query knows them, newest first, or None where it does not answer."""
    try:
        answer = session.request("GET", f"{QUERY_URL}/posts", timeout=PATIENCE)
        answer.raise_for_status()
        return list(answer.json().values())[::-1]
    except requests.RequestException as error:
        app.logger.warning("no posts from query: %s", error)
        return None


@app.after_request
def protect(response: Response) -> Response:
    """Let the page call its services, and nothing else."""
    return protect_page(response, *other_origins(request.host))


def other_origins(host: str) -> list[str]:
    """Return where the services are for a page on port 3000; anywhere else an ingress makes them one origin."""
    name, _, port = host.rpartition(":")
    return [f"http://{name}:{service}" for service in (4000, 4001, 4002)] if port == "3000" else []


if __name__ == "__main__":
    run(app, 3000)
