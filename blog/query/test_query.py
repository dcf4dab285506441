"""query, as a fold: the posts that the page shows."""

from typing import Any

from minibus import Comment
from query import add_comment, add_post, as_in_the_course, update_comment

PENDING: Comment = {"id": "c", "postId": "p", "content": "hello", "status": "pending"}
APPROVED: Comment = {**PENDING, "status": "approved"}


def a_post(*comments: Comment) -> Any:
    posts: dict[str, Any] = {}
    add_post(posts, {"id": "p", "title": "Post"})
    for comment in comments:
        add_comment(posts, comment)
    return posts


def test_a_comment_is_added_once_to_its_post() -> None:
    posts = a_post(PENDING, PENDING)

    comments = [{"id": "c", "content": "hello", "status": "pending"}]
    assert as_in_the_course(posts["p"]) == {"id": "p", "title": "Post", "comments": comments}


def test_a_second_post_with_the_same_id_keeps_the_comments() -> None:
    posts = a_post(PENDING)

    add_post(posts, {"id": "p", "title": "Post"})

    assert list(posts["p"]["comments"]) == ["c"]


def test_an_update_changes_the_comment() -> None:
    posts = a_post(PENDING)

    update_comment(posts, APPROVED)

    assert posts["p"]["comments"]["c"]["status"] == "approved"


def test_an_event_about_an_unknown_post_or_comment_changes_nothing() -> None:
    posts = a_post()

    add_comment(posts, {**PENDING, "postId": "nowhere"})
    update_comment(posts, {**APPROVED, "postId": "nowhere"})
    update_comment(posts, APPROVED)

    assert posts == a_post()
