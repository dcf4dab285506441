"""query: the read side, posts with their comments. It hears of everything from the bus alone."""

from __future__ import annotations

from typing import Any

from conformance import shared
from conformance.answer import as_json
from conformance.contract import Contract
from conformance.workbench import ServiceBench

query: Contract[ServiceBench] = Contract("query")

Comments = list[dict[str, str]]


def shows(it: ServiceBench, post_id: str, *wanted: dict[str, str]) -> None:
    """Query comes to show a post with exactly these comments."""
    comments = [{name: comment[name] for name in ("id", "content", "status")} for comment in wanted]

    def is_shown() -> None:
        answer = it.get("/posts").has_status(200)
        post = answer.object().get(post_id)
        if not isinstance(post, dict):
            raise answer.broken(f'the post "{post_id}" in it')
        if brief(post.get("comments")) != comments:
            expected = f"the post {post_id} with the comments {as_json(comments)}"
            raise type(answer)(answer.asked, answer.status, as_json({post_id: post})).broken(expected)

    it.until(is_shown)


def brief(comments: Any) -> Any:
    """Leave out of comments whatever the contract does not name."""
    if not isinstance(comments, list) or not all(isinstance(comment, dict) for comment in comments):
        return comments
    return [{name: comment.get(name) for name in ("id", "content", "status")} for comment in comments]


@query.course("GET /posts shows the posts as one object, keyed by id")
def shows_posts(it: ServiceBench) -> None:
    """Answer GET /posts with 200 and an object keyed by id, {} while there are none; no array."""
    it.get("/posts").has_status(200).object()


@query.course("PostCreated: the post is shown, with no comments yet")
def shows_a_post(it: ServiceBench) -> None:
    """On PostCreated, keep {"id", "title", "comments": []} under the post's id."""
    post = {"id": it.unique("post").replace(" ", "-"), "title": it.unique("A post")}
    it.bus.publish("PostCreated", post).has_status(200)

    def is_shown() -> None:
        answer = it.get("/posts").has_status(200)
        wanted = {**post, "comments": []}
        found = answer.object().get(post["id"])
        if not isinstance(found, dict) or {name: found.get(name) for name in wanted} != wanted:
            raise answer.broken(f'"{post["id"]}": {as_json(wanted)} in it')

    it.until(is_shown)


@query.course("CommentCreated: the comment is shown under its post")
def shows_a_comment(it: ServiceBench) -> None:
    """On CommentCreated, add {"id", "content", "status"} to the comments of the post that postId names."""
    post, other = it.new_post(), it.new_post()
    comment = it.new_comment(post)
    it.bus.publish("CommentCreated", comment).has_status(200)
    shows(it, post, comment)
    shows(it, other)


@query.course("Comments are shown in the order in which they came")
def keeps_the_order(it: ServiceBench) -> None:
    """Keep the comments of a post in an array, and add each new one at its end."""
    post = it.new_post()
    wanted = [it.new_comment(post, content) for content in ("first", "second", "a third")]
    for comment in wanted:
        it.bus.publish("CommentCreated", comment).has_status(200)
    shows(it, post, *wanted)


@query.course("CommentUpdated: the comment's status and content change")
def updates_a_comment(it: ServiceBench) -> None:
    """On CommentUpdated, find the comment by postId and id, and take over both status and content."""
    post = it.new_post()
    first, second = it.new_comment(post), it.new_comment(post)
    for comment in (first, second):
        it.bus.publish("CommentCreated", comment).has_status(200)
    changed = {**first, "status": "approved", "content": it.unique("Changed")}
    it.bus.publish("CommentUpdated", changed).has_status(200)
    shows(it, post, changed, second)


@query.course("CommentModerated is none of its business")
def leaves_verdicts_to_comments(it: ServiceBench) -> None:
    """Do nothing on CommentModerated: what a verdict means is for comments to say, and it does so in CommentUpdated.
    If both services knew, each new kind of verdict would be a change in two places.
    """
    post = it.new_post()
    comment = it.new_comment(post)
    it.bus.publish("CommentCreated", comment).has_status(200)
    it.bus.publish("CommentModerated", {**comment, "status": "approved"}).has_status(200)
    shows(it, post, comment)


@query.course("Restarted, it catches up from GET /events of the bus", kills=True)
def catches_up(it: ServiceBench) -> None:
    """When you start, read GET /events from the bus and put each event through the same code as those that come live.
    So a query that starts late, or again, shows what everybody else has.
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
    """Look whether the comment's id is there already, and if it is, do nothing: a bus that makes sure of a delivery
    sometimes delivers twice.
    """
    post = it.new_post()
    comment = it.new_comment(post)
    event = it.bus.store("CommentCreated", comment)
    for _ in range(2):
        it.bus.deliver(event).has_status(200)
    shows(it, post, comment)


@query.solid("PostCreated delivered again: the post keeps its comments", chapter=19)
def keeps_comments(it: ServiceBench) -> None:
    """Look whether the post's id is there already, and if it is, do nothing: what you set anew has no comments."""
    post = {"id": it.unique("post").replace(" ", "-"), "title": it.unique("A post")}
    event = it.bus.store("PostCreated", post)
    it.bus.deliver(event).has_status(200)
    comment = it.new_comment(post["id"])
    it.bus.publish("CommentCreated", comment).has_status(200)
    it.bus.deliver(event).has_status(200)
    shows(it, post["id"], comment)


@query.solid("A comment on a post that it never heard of does no harm", chapter=19)
def bears_a_comment_without_a_post(it: ServiceBench) -> None:
    """Look whether there is a post before you add to its comments, and answer 200 where there is none: an error would
    only be for the bus to see, which cannot help you.
    """
    nowhere = it.unique("nowhere").replace(" ", "-")
    it.bus.publish("CommentCreated", it.new_comment(nowhere)).has_status(200)
    it.bus.publish("CommentUpdated", it.new_comment(nowhere, status="approved")).has_status(200)
    it.get("/posts").has_status(200)


@query.solid("Started before the bus, it catches up when the bus is there", chapter=16, kills=True)
def waits_for_the_bus(it: ServiceBench) -> None:
    """Try GET /events again, every second or so, until the bus has answered: not every service starts after the bus."""
    post = it.new_post()
    comment = it.new_comment(post)
    it.bus.store("CommentCreated", comment)
    it.start_without_the_bus()
    it.wait()
    shows(it, post, comment)


shared.errors_are_json(query, "/events")
