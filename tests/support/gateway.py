"""One origin for the page and all its services, as behind an ingress."""

from __future__ import annotations

import re

from labs.gateway import Cut, Gateway
from labs.system import Blog

__all__ = ["Cut", "Gateway", "one_origin"]


def one_origin(blog: Blog) -> Gateway:
    """Put the page and all its services behind one origin, routed as the course's Ingress does."""

    def route(path: str) -> str:
        if path == "/posts/create":
            return blog.url("posts")
        if path in ("/posts", "/posts/stream"):
            return blog.url("query")
        return blog.url("comments" if re.fullmatch("/posts/[^/]+/comments", path) else "client")

    return Gateway(route)
