"""The shapes of the `data` of the blog's events, as the course has them."""

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
