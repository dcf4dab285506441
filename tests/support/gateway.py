"""One origin for the page and all its services, as behind an ingress."""

from __future__ import annotations

import re

from harness.blog import Blog
from harness.proxy import Proxy


def one_origin(blog: Blog) -> Proxy:
    """Put the page and all its services behind one origin, routed as the course's Ingress does."""

    def route(path: str) -> str:
        if path == "/posts/create":
            return blog.url("posts")
        if path in ("/posts", "/posts/stream"):
            return blog.url("query")
        return blog.url("comments" if re.fullmatch("/posts/[^/]+/comments", path) else "client")

    return Proxy(route)
