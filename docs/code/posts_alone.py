"""posts, alone: keeps its posts, and publishes no event."""

import secrets

from flask import Flask, request

app = Flask(__name__)
posts: dict[str, dict[str, str]] = {}


@app.get("/posts")
def list_posts() -> dict[str, dict[str, str]]:
    """Show all the posts, keyed by id."""
    return posts


@app.post("/posts")
def create_post() -> tuple[dict[str, str], int]:
    """Keep a post."""
    post = {"id": secrets.token_hex(4), "title": request.get_json()["title"]}
    posts[post["id"]] = post
    return post, 201


if __name__ == "__main__":
    app.run(port=4000)
