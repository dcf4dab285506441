"""moderation: the verdict on a text."""

import pytest
from minibus import Comment, Event
from moderation import judge


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("I like pears", "approved"),
        ("", "approved"),
        ("an orange", "rejected"),
        ("Orange!", "rejected"),
        ("blOODORANGEs", "rejected"),
    ],
)
def test_orange_is_rejected_in_capitals_or_not(content: str, status: str) -> None:
    comment: Comment = {"id": "c", "postId": "p", "content": content, "status": "pending"}

    assert judge(None, comment) == Event("CommentModerated", {**comment, "status": status})
