"""The mini-blog as a monolith: one program with one database."""

import sqlite3
from pathlib import Path
from typing import Any

from flask import Flask, request

TABLES = """
CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE IF NOT EXISTS comments (id INTEGER PRIMARY KEY, post INTEGER REFERENCES posts, content TEXT, status TEXT);
"""
POSTS_WITH_COMMENTS = """
SELECT title, content, status
FROM posts LEFT JOIN comments ON comments.post = posts.id
ORDER BY posts.id, comments.id
"""
ADD_COMMENT = "INSERT INTO comments (post, content, status) VALUES (?, ?, ?)"

app = Flask(__name__)


def database() -> sqlite3.Connection:
    """Open the one database."""
    Path("data").mkdir(exist_ok=True)
    connection = sqlite3.connect("data/monolith.db", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(TABLES)
    return connection


@app.get("/posts")
def list_posts() -> list[dict[str, Any]]:
    """Show all the posts, each with its comments, from one query."""
    return [dict(row) for row in database().execute(POSTS_WITH_COMMENTS)]


@app.post("/posts")
def create_post() -> tuple[dict[str, Any], int]:
    """Keep a post."""
    title = request.get_json()["title"]
    added = database().execute("INSERT INTO posts (title) VALUES (?)", [title])
    return {"id": added.lastrowid, "title": title}, 201


@app.post("/posts/<int:post>/comments")
def create_comment(post: int) -> tuple[dict[str, Any], int]:
    """Judge a comment with a function call, then keep the comment with its status."""
    content = request.get_json()["content"]
    status = judge(content)
    database().execute(ADD_COMMENT, [post, content, status])
    return {"content": content, "status": status}, 201


def judge(content: str) -> str:
    """Reject a text that contains the course's word, orange."""
    return "rejected" if "orange" in content.lower() else "approved"


if __name__ == "__main__":
    app.run(port=8000)
