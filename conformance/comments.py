"""comments: owns the comments, and what a moderation means for them."""

from __future__ import annotations

from typing import Any

from conformance import shared
from conformance.answer import Answer, as_json
from conformance.contract import Broken, Contract
from conformance.workbench import ServiceBench

comments: Contract[ServiceBench] = Contract("comments")


def write(it: ServiceBench, post_id: str, content: str) -> Answer:
    """Comment on a post."""
    return it.post(f"/posts/{post_id}/comments", {"content": content})


def written(it: ServiceBench, post_id: str, content: str) -> dict[str, Any]:
    """Comment on a post; return the comment as it can be read then."""
    write(it, post_id, content).is_well()
    return it.until(lambda: find(it.get(f"/posts/{post_id}/comments"), content))


def find(answer: Answer, content: str) -> dict[str, Any]:
    """Return the comment with this content from an answer."""
    for comment in answer.array():
        if isinstance(comment, dict) and comment.get("content") == content:
            return comment
    raise answer.broken(f'an array with a comment whose content is "{content}"')


@comments.course("The comments on a post without any are an empty array")
def shows_no_comments(it: ServiceBench) -> None:
    """Answer GET /posts/<id>/comments with 200 and [] where there are none."""
    answer = it.get(f"/posts/{it.new_post()}/comments").has_status(200)
    if answer.array() != []:
        raise answer.broken("[]")


@comments.course("A new comment is answered with 201")
def says_created(it: ServiceBench) -> None:
    """Read the body as JSON (in Express app.use(express.json()) before your routes, in Flask request.get_json()), and
    answer 201 (Created) to POST /posts/<id>/comments.
    """
    write(it, it.new_post(), it.unique("Nice")).has_status(201)


@comments.course("A new comment is answered with all comments on its post")
def answers_with_all(it: ServiceBench) -> None:
    """Answer POST /posts/<id>/comments with the post's whole array, oldest first, the new comment at its end; not with
    the comment alone. Comments on other posts have no place in it.
    """
    post, other = it.new_post(), it.new_post()
    first, second = it.unique("First"), it.unique("Second")
    write(it, post, first)
    write(it, other, it.unique("Elsewhere"))
    answer = write(it, post, second)
    if [comment.get("content") for comment in answer.array() if isinstance(comment, dict)] != [first, second]:
        raise answer.broken(f'an array of two comments, "{first}" and "{second}"')


@comments.course("A new comment is pending, and has an id")
def begins_pending(it: ServiceBench) -> None:
    """Keep a comment as {"id", "content", "status"}: an id, a text that you draw yourself, and the status "pending"
    until somebody has judged it.
    """
    comment = written(it, it.new_post(), content := it.unique("Judge me"))
    if comment.get("status") != "pending" or not isinstance(comment.get("id"), str):
        raise Broken(f'{{"id": a text, "content": "{content}", "status": "pending"}}', as_json(comment))


@comments.course("A new comment is in GET /posts/<id>/comments")
def remembers_comments(it: ServiceBench) -> None:
    """Keep the comments of each post, and show them in GET /posts/<id>/comments, oldest first."""
    post, content = it.new_post(), it.unique("Remember me")
    write(it, post, content)
    it.until(lambda: find(it.get(f"/posts/{post}/comments").has_status(200), content))


@comments.course("A new comment is told to the bus: CommentCreated, with its postId")
def tells_the_bus(it: ServiceBench) -> None:
    """Send POST /events to the bus: {"type": "CommentCreated", "data": {"id", "content", "postId", "status"}}, the
    status "pending". Moderation waits for it, and query.
    """
    post, content = it.new_post(), it.unique("Tell the others")
    comment = written(it, post, content)
    data = it.bus.heard("CommentCreated", "id", "postId", "status", content=content)
    wanted = {"id": comment.get("id"), "content": content, "postId": post, "status": "pending"}
    compare("CommentCreated", data, wanted)


def compare(kind: str, data: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The data of an event has what is wanted; more does no harm."""
    if {name: data.get(name) for name in wanted} != wanted:
        raise Broken(f"{kind} {as_json(wanted)}", f"{kind} {as_json(data)}")


def judge(it: ServiceBench, verdict: str) -> tuple[str, dict[str, Any]]:
    """Write a comment and let somebody judge it; return its post, and the comment as it has to be then."""
    post, content = it.new_post(), it.unique("Judge me")
    comment = {"id": written(it, post, content).get("id"), "content": content}
    it.bus.publish("CommentModerated", {**comment, "postId": post, "status": verdict}).has_status(200)
    return post, {**comment, "status": verdict}


@comments.course("A verdict of moderation is taken over")
def takes_over_verdicts(it: ServiceBench) -> None:
    """On CommentModerated, find the comment by postId and id, and set its status to the one of the event: "approved" or
    "rejected".
    """
    for verdict in ("approved", "rejected"):
        post, wanted = judge(it, verdict)

        def is_judged(post: str = post, wanted: dict[str, Any] = wanted) -> None:
            answer = it.get(f"/posts/{post}/comments")
            if find(answer, wanted["content"]).get("status") != wanted["status"]:
                raise answer.broken(f'the comment as "{wanted["status"]}"')

        it.until(is_judged)


@comments.course("A verdict is told to the bus in general words: CommentUpdated")
def says_what_a_verdict_means(it: ServiceBench) -> None:
    """On CommentModerated, send CommentUpdated to the bus with {"id", "postId", "status", "content"}, the new status in
    it. Query listens to that alone: what a moderation means is known here, and nowhere else.
    """
    for verdict in ("approved", "rejected"):
        post, wanted = judge(it, verdict)
        data = it.bus.heard("CommentUpdated", "id", "postId", "status", "content", id=wanted["id"])
        compare("CommentUpdated", data, {**wanted, "postId": post})


shared.takes_every_event(comments)
shared.lets_pages_in(comments, "/posts/1f2e3d4c/comments", writes=True)


@comments.solid("Without the bus it lives on, and keeps what it promises", chapter=16, kills=True)
def lives_on_without_the_bus(it: ServiceBench) -> None:
    """Catch the error when the bus does not answer, or your process dies of it (in Express an await that fails without
    try and catch). Then answer 503 and keep nothing (publish first, and keep what the bus has taken); or answer 201,
    and send the event until the bus has it.
    """
    post = it.new_post()
    place = f"/posts/{post}/comments"
    shared.lives_on(it, lambda content: write(it, post, content), place, "CommentCreated", "content")


@comments.solid("A comment on a post that does not exist is refused with 404", chapter=17)
def knows_the_posts(it: ServiceBench) -> None:
    """Listen to PostCreated and remember the ids; answer 404 for any other post. So you need not ask posts, which may
    be away, and query never hears of a comment without a post.
    """
    write(it, it.unique("nowhere").replace(" ", "-"), "Lost").has_status(404)


shared.errors_are_json(comments, "/posts/1f2e3d4c/comments")
