"""comments, as a fold: comments and the verdicts on them."""

from typing import Any

from comments import add_comment, decide, open_thread
from minibus import Comment, Event

PENDING: Comment = {"id": "c", "postId": "p", "content": "hello", "status": "pending"}
APPROVED: Comment = {**PENDING, "status": "approved"}


def a_thread(*comments: Comment) -> Any:
    threads: dict[str, Any] = {}
    open_thread(threads, {"id": "p", "title": "Post"})
    for comment in comments:
        add_comment(threads, comment)
    return threads


def test_a_comment_is_added_once_to_a_post_that_exists() -> None:
    threads = a_thread(PENDING, PENDING, {**PENDING, "postId": "nowhere"})

    assert threads == {"p": {"c": {"id": "c", "content": "hello", "status": "pending"}}}


def test_a_second_post_with_the_same_id_keeps_the_comments() -> None:
    threads = a_thread(PENDING)

    open_thread(threads, {"id": "p", "title": "Post"})

    assert list(threads["p"]) == ["c"]


def test_a_verdict_changes_the_comment_and_causes_one_event() -> None:
    threads = a_thread(PENDING)

    first = decide(threads, APPROVED)
    again = decide(threads, APPROVED)

    assert first == Event("CommentUpdated", APPROVED)
    assert again is None
    assert threads["p"]["c"]["status"] == "approved"


def test_a_verdict_on_an_unknown_comment_changes_nothing() -> None:
    assert decide(a_thread(), APPROVED) is None
