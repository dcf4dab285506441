"""Rules for query: it shows posts with their comments, and gets all of them from the bus."""

from __future__ import annotations

from typing import Any

from conformance import shared
from conformance.answer import as_json
from conformance.contract import Contract
from conformance.workbench import ServiceBench

query: Contract[ServiceBench] = Contract("query")

Comments = list[dict[str, str]]


def shows(it: ServiceBench, post_id: str, *wanted: dict[str, str]) -> None:
    """Wait until query shows a post with exactly these comments. Raises `Broken`."""
    comments = [{name: comment[name] for name in ("id", "content", "status")} for comment in wanted]

    def is_shown() -> None:
        answer = it.get("/posts").has_status(200)
        post = answer.object().get(post_id)
        if not isinstance(post, dict):
            raise answer.broken(f'an object with the post "{post_id}"')
        if brief(post.get("comments")) != comments:
            expected = f"the post {post_id} with the comments {as_json(comments)}"
            raise type(answer)(answer.asked, answer.status, as_json({post_id: post})).broken(expected)

    it.until(is_shown)


def brief(comments: Any) -> Any:
    """Reduce comments to the fields that the contract names."""
    if not isinstance(comments, list) or not all(isinstance(comment, dict) for comment in comments):
        return comments
    return [{name: comment.get(name) for name in ("id", "content", "status")} for comment in comments]


@query.course("GET /posts shows the posts as one object, keyed by id")
def shows_posts(it: ServiceBench) -> None:
    """Answer GET /posts with 200 and an object keyed by id; without posts, {}. Do not answer with an array."""
    it.get("/posts").has_status(200).object()


@query.course("PostCreated: the post is shown, with no comments yet")
def shows_a_post(it: ServiceBench) -> None:
    """On PostCreated, store {"id", "title", "comments": []} under the post's id."""
    post = {"id": it.unique("post").replace(" ", "-"), "title": it.unique("A post")}
    it.bus.publish("PostCreated", post).has_status(200)

    def is_shown() -> None:
        answer = it.get("/posts").has_status(200)
        wanted = {**post, "comments": []}
        found = answer.object().get(post["id"])
        if not isinstance(found, dict) or {name: found.get(name) for name in wanted} != wanted:
            raise answer.broken(f'an object with "{post["id"]}": {as_json(wanted)}')

    it.until(is_shown)


@query.course("CommentCreated: the comment is shown under its post")
def shows_a_comment(it: ServiceBench) -> None:
    """On CommentCreated, add {"id", "content", "status"} to the comments of the post that postId names."""
    post, other = it.new_post(), it.new_post()
    comment = it.new_comment(post)
    it.bus.publish("CommentCreated", comment).has_status(200)
    shows(it, post, comment)
    shows(it, other)


@query.course("Comments are shown in the order of their events")
def keeps_the_order(it: ServiceBench) -> None:
    """Keep the comments of a post in an array, and append each new comment."""
    post = it.new_post()
    wanted = [it.new_comment(post, content) for content in ("first", "second", "a third")]
    for comment in wanted:
        it.bus.publish("CommentCreated", comment).has_status(200)
    shows(it, post, *wanted)


@query.course("CommentUpdated: the comment's status and content change")
def updates_a_comment(it: ServiceBench) -> None:
    """On CommentUpdated, find the comment by postId and id. Copy both status and content from the event."""
    post = it.new_post()
    first, second = it.new_comment(post), it.new_comment(post)
    for comment in (first, second):
        it.bus.publish("CommentCreated", comment).has_status(200)
    changed = {**first, "status": "approved", "content": it.unique("Changed")}
    it.bus.publish("CommentUpdated", changed).has_status(200)
    shows(it, post, changed, second)


@query.course("CommentModerated changes nothing")
def leaves_verdicts_to_comments(it: ServiceBench) -> None:
    """Ignore CommentModerated. comments decides what a verdict means, and publishes CommentUpdated. If query decided it
    too, each new kind of verdict would need a change in two services.
    """
    post = it.new_post()
    comment = it.new_comment(post)
    it.bus.publish("CommentCreated", comment).has_status(200)
    it.bus.publish("CommentModerated", {**comment, "status": "approved"}).has_status(200)
    shows(it, post, comment)


@query.course("After a restart it catches up from GET /events of the bus", kills=True)
def catches_up(it: ServiceBench) -> None:
    """When you start, read GET /events from the bus. Handle each of these events with the same code as a delivered one.
    Then a query that starts late has the same posts as the other services.
    """
    before = it.new_post()
    with it.away():
        meanwhile = it.new_comment(before)
        it.bus.store("CommentCreated", meanwhile)
        changed = {**meanwhile, "status": "approved"}
        it.bus.store("CommentUpdated", changed)
    shows(it, before, changed)


shared.takes_every_event(query)
shared.lets_pages_in(query, "/posts", writes=False)


@query.solid("CommentCreated delivered twice: the comment shows once", chapter=19)
def shows_a_comment_once(it: ServiceBench) -> None:
    """If you already have a comment with this id, do nothing. A bus that retries a delivery sometimes delivers an event
    twice.
    """
    post = it.new_post()
    comment = it.new_comment(post)
    event = it.bus.store("CommentCreated", comment)
    for _ in range(2):
        it.bus.deliver(event).has_status(200)
    shows(it, post, comment)


@query.solid("PostCreated delivered again: the post keeps its comments", chapter=19)
def keeps_comments(it: ServiceBench) -> None:
    """If you already have a post with this id, do nothing. A post that you overwrite loses its comments."""
    post = {"id": it.unique("post").replace(" ", "-"), "title": it.unique("A post")}
    event = it.bus.store("PostCreated", post)
    it.bus.deliver(event).has_status(200)
    comment = it.new_comment(post["id"])
    it.bus.publish("CommentCreated", comment).has_status(200)
    it.bus.deliver(event).has_status(200)
    shows(it, post["id"], comment)


@query.solid("A comment on an unknown post does no harm", chapter=19)
def bears_a_comment_without_a_post(it: ServiceBench) -> None:
    """Check that the post exists before you add a comment to it. If it does not, answer 200: the bus cannot use an
    error status.
    """
    nowhere = it.unique("nowhere").replace(" ", "-")
    it.bus.publish("CommentCreated", it.new_comment(nowhere)).has_status(200)
    it.bus.publish("CommentUpdated", it.new_comment(nowhere, status="approved")).has_status(200)
    it.get("/posts").has_status(200)


@query.solid("Started before the bus, it catches up once the bus is up", chapter=16, kills=True)
def waits_for_the_bus(it: ServiceBench) -> None:
    """Retry GET /events every second until the bus has answered. A service may start before the bus."""
    post = it.new_post()
    comment = it.new_comment(post)
    it.bus.store("CommentCreated", comment)
    it.start_without_the_bus()
    it.wait()
    shows(it, post, comment)


shared.errors_are_json(query, "/events")
