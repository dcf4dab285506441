"""What the events of the blog say: the shapes of their `data` (the course's)."""

from __future__ import annotations

from typing import Literal, TypedDict


class Post(TypedDict):
    """The data of PostCreated."""

    id: str
    title: str


class Comment(TypedDict):
    """The data of CommentCreated, CommentModerated and CommentUpdated."""

    id: str
    postId: str
    content: str
    status: Literal["pending", "approved", "rejected"]
