"""posts with a common mistake: it saves a post in its own database, then publishes the event."""

import os
import sqlite3
import uuid
from pathlib import Path

import requests
from flask import Flask, request

app = Flask(__name__)
Path(os.environ["DATA_DIR"]).mkdir(exist_ok=True)
database = sqlite3.connect(Path(os.environ["DATA_DIR"]) / "posts.db", check_same_thread=False, isolation_level=None)
database.execute("CREATE TABLE IF NOT EXISTS posts (id TEXT PRIMARY KEY, title TEXT)")


@app.get("/posts")
def list_posts() -> dict[str, dict[str, str]]:
    """Show all the posts, keyed by id."""
    return {identity: {"id": identity, "title": title} for identity, title in database.execute("SELECT * FROM posts")}


@app.post("/posts/create")
def create_post() -> tuple[dict[str, str], int]:
    """Save a post, then publish it. After a crash between these two lines, the event is never published."""
    post = {"id": uuid.uuid4().hex[:8], "title": request.get_json()["title"]}
    database.execute("INSERT INTO posts VALUES (:id, :title)", post)
    requests.post(f"{os.environ['EVENT_BUS_URL']}/events", json={"type": "PostCreated", "data": post}, timeout=60)
    return post, 201


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
