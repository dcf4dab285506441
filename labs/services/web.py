"""Services that ask each other while a reader waits. Each process is one of posts, comments and page."""

import os
from typing import Any

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/posts")
def posts() -> list[str]:
    """Show the posts."""
    return ["A web of requests"]


@app.get("/comments")
def comments() -> list[str]:
    """Show the comments."""
    return ["It looked so simple"]


@app.get("/page")
def page() -> dict[str, Any]:
    """Ask posts and comments, wait for both answers, and show the page."""
    return {name: requests.get(os.environ[name], timeout=60).json() for name in ("POSTS", "COMMENTS")}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
