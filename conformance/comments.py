"""Rules for comments: it owns the comments, and decides what a verdict of moderation means for them."""

from __future__ import annotations

from typing import Any

from conformance import shared
from conformance.answer import Answer, as_json
from conformance.contract import Broken, Contract
from conformance.workbench import ServiceBench

comments: Contract[ServiceBench] = Contract("comments")


def write(it: ServiceBench, post_id: str, content: str) -> Answer:
    """Write a comment on a post; return the answer."""
    return it.post(f"/posts/{post_id}/comments", {"content": content})


def written(it: ServiceBench, post_id: str, content: str) -> dict[str, Any]:
    """Write a comment on a post; return the comment as GET shows it."""
    write(it, post_id, content).is_well()
    return it.until(lambda: find(it.get(f"/posts/{post_id}/comments"), content))


def find(answer: Answer, content: str) -> dict[str, Any]:
    """Return the comment with this content from an answer. Raises `Broken`."""
    for comment in answer.array():
        if isinstance(comment, dict) and comment.get("content") == content:
            return comment
    raise answer.broken(f'an array with a comment whose content is "{content}"')


@comments.course("A post without comments has an empty array of comments")
def shows_no_comments(it: ServiceBench) -> None:
    """Answer GET /posts/<id>/comments with 200 and [] if the post has no comments."""
    answer = it.get(f"/posts/{it.new_post()}/comments").has_status(200)
    if answer.array() != []:
        raise answer.broken("[]")


@comments.course("A new comment is answered with 201")
def says_created(it: ServiceBench) -> None:
    """Read the body as JSON: in Express put app.use(express.json()) before your routes, in Flask call
    request.get_json(). Answer POST /posts/<id>/comments with 201 (Created).
    """
    write(it, it.new_post(), it.unique("Nice")).has_status(201)


@comments.course("A new comment is answered with all comments on its post")
def answers_with_all(it: ServiceBench) -> None:
    """Answer POST /posts/<id>/comments with the array of all comments on this post, oldest first. The new comment is
    the last one. Leave out comments on other posts.
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
    """Keep a comment as {"id", "content", "status"}. Generate the id, a string. The status is "pending" until
    CommentModerated arrives.
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


@comments.course("A new comment is published: CommentCreated with its postId")
def tells_the_bus(it: ServiceBench) -> None:
    """Send POST /events to the bus: {"type": "CommentCreated", "data": {"id", "content", "postId", "status"}}, with the
    status "pending". Moderation and query need this event.
    """
    post, content = it.new_post(), it.unique("Tell the others")
    comment = written(it, post, content)
    data = it.bus.received("CommentCreated", "id", "postId", "status", content=content)
    wanted = {"id": comment.get("id"), "content": content, "postId": post, "status": "pending"}
    compare("CommentCreated", data, wanted)


def compare(kind: str, data: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Compare the wanted fields of an event's data, and ignore other fields. Raises `Broken`."""
    if {name: data.get(name) for name in wanted} != wanted:
        raise Broken(f"{kind} {as_json(wanted)}", f"{kind} {as_json(data)}")


def judge(it: ServiceBench, verdict: str) -> tuple[str, dict[str, Any]]:
    """Write a comment and publish its verdict; return its post, and the comment as it must be then."""
    post, content = it.new_post(), it.unique("Judge me")
    comment = {"id": written(it, post, content).get("id"), "content": content}
    it.bus.publish("CommentModerated", {**comment, "postId": post, "status": verdict}).has_status(200)
    return post, {**comment, "status": verdict}


@comments.course("CommentModerated: the comment gets its new status")
def takes_over_verdicts(it: ServiceBench) -> None:
    """On CommentModerated, find the comment by postId and id. Set its status to the status in the event: "approved" or
    "rejected".
    """
    for verdict in ("approved", "rejected"):
        post, wanted = judge(it, verdict)

        def is_judged(post: str = post, wanted: dict[str, Any] = wanted) -> None:
            answer = it.get(f"/posts/{post}/comments")
            if find(answer, wanted["content"]).get("status") != wanted["status"]:
                raise answer.broken(f'the comment as "{wanted["status"]}"')

        it.until(is_judged)


@comments.course("CommentModerated: the service publishes CommentUpdated")
def says_what_a_verdict_means(it: ServiceBench) -> None:
    """On CommentModerated, send CommentUpdated to the bus with {"id", "postId", "status", "content"} and the new
    status. Query handles only CommentUpdated: comments alone decides what a verdict means.
    """
    for verdict in ("approved", "rejected"):
        post, wanted = judge(it, verdict)
        data = it.bus.received("CommentUpdated", "id", "postId", "status", "content", id=wanted["id"])
        compare("CommentUpdated", data, {**wanted, "postId": post})


shared.takes_every_event(comments)
shared.lets_pages_in(comments, "/posts/1f2e3d4c/comments", writes=True)


@comments.solid("While the bus is down it answers, and keeps what it confirms", chapter=16, kills=True)
def lives_on_without_the_bus(it: ServiceBench) -> None:
    """Catch the error of a bus that does not answer; in Express 4 an await that fails outside try ends the process.
    Then answer 503 and store nothing: publish first, store afterwards. Or answer 201, and retry until the bus has the
    event.
    """
    post = it.new_post()
    place = f"/posts/{post}/comments"
    shared.lives_on(it, lambda content: write(it, post, content), place, "CommentCreated", "content")


@comments.solid("A comment on a post that does not exist is rejected with 404", chapter=17)
def knows_the_posts(it: ServiceBench) -> None:
    """Handle PostCreated and keep the ids; answer 404 for every other post. Then you need not ask posts, which may be
    down, and query never gets a comment without a post.
    """
    write(it, it.unique("nowhere").replace(" ", "-"), "Lost").has_status(404)


shared.errors_are_json(comments, "/posts/1f2e3d4c/comments")
