"""An event overtakes another: pending for ever."""

from typing import Any

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 19
COURSE = "The course's bus sends all at once"
OURS = "Ours sends one after the other, and numbers them"


def play(stage: Stage) -> None:
    """Hold up one event on its way to query, until a later one could have overtaken it."""
    stage.act(COURSE)
    blog = stage.blog("event-bus", "query")
    line = stage.line(blog.url("query"))
    blog.settings["SUBSCRIBERS"] = f"{blog.url('posts')},{line.url}"
    post = write_a_post(stage, blog)
    stage.tell("A comment is published, then its verdict. On its way to query the comment is held up.")
    line.hold("CommentCreated")
    publish(blog, "CommentCreated", post, "pending")
    publish(blog, "CommentUpdated", post, "approved")
    stage.fault("its verdict overtakes it", lambda: line.hits and line.count("CommentUpdated"))
    stage.tell("A verdict on a comment that query does not know: an error, and gone. Then the comment comes.")
    line.mend()
    stage.sees("it is pending", lambda: blog.page()["A post"] == {"A comment": "pending"})
    blog.write_post("A later post")
    later = {"A post": {"A comment": "pending"}, "A later post": {}}
    stage.sees("whatever comes later, it stays so", lambda: blog.page() == later)
    stage.page(blog)
    stage.log(blog)

    stage.act(OURS)
    blog = stage.blog()
    line = stage.line(blog.url("query"))
    blog.reached_at["query"] = line.url
    post = write_a_post(stage, blog)
    stage.tell("The same again: on its way to query the comment is held up.")
    line.hold("CommentCreated")
    publish(blog, "CommentCreated", post, "pending")
    verdict = publish(blog, "CommentUpdated", post, "approved")
    stage.fault("it does not come, and the log goes on", lambda: line.hits and len(blog.events()) == 3)
    stage.sees("query is at #1, and the bus knows it", lambda: position(blog) == 1)
    stage.tell("Somebody in a hurry brings query the verdict, #3, by hand.")
    answer = blog.send("query", "/events", blog.get("event-bus", f"/events/{verdict['seq']}"))
    stage.sees("query says 409: I am at 1", lambda: answer.status_code == 409 and answer.json()["position"] == 1)
    stage.tell("The line is mended.")
    line.mend()
    stage.sees("first the comment, then its verdict", lambda: blog.page() == {"A post": {"A comment": "approved"}})
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "Order is not luck: each event has a number, and a service takes only the next one.",
        blog,
        "query has heard #2 before #3, although #2 was held up",
        at=3,
        service="query",
    )


def write_a_post(stage: Stage, blog: Blog) -> str:
    """Start the blog and write a post; return its id."""
    stage.start(blog, "event-bus", "posts", "query")
    post = blog.write_post("A post")
    stage.sees("there is a post on the page", lambda: "A post" in blog.page())
    return post


def publish(blog: Blog, kind: str, post: str, status: str) -> dict[str, Any]:
    """Publish what comments would say of a comment; return the answer of the bus."""
    data = {"id": "c0ffee00", "postId": post, "content": "A comment", "status": status}
    return blog.send("event-bus", "/events", {"source": "/comments", "type": kind, "data": data}).json()


def position(blog: Blog) -> int:
    """Return how far the bus takes query to be."""
    return blog.get("event-bus", "/subscribers/query")["position"]
