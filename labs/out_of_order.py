"""One event overtakes another: pending for ever."""

from typing import Any

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 19
COURSE = "The course's bus sends all events at once"
OURS = "Ours numbers the events, and delivers them in order"


def play(stage: Stage) -> None:
    """Delay one event on its way to query until a later event has overtaken it, or could have."""
    stage.act(COURSE)
    blog = stage.blog("event-bus", "query")
    line = stage.line(blog.url("query"))
    blog.settings["SUBSCRIBERS"] = f"{blog.url('posts')},{line.url}"
    post = write_a_post(stage, blog)
    stage.explain("A comment is published, then its verdict. The comment is delayed on its way to query.")
    line.delay("CommentCreated")
    publish(blog, "CommentCreated", post, "pending")
    publish(blog, "CommentUpdated", post, "approved")
    stage.fault("the verdict overtakes the comment", lambda: line.hits and line.count("CommentUpdated"))
    stage.explain("query has no such comment: it raises an error, and the verdict is lost. Then the comment arrives.")
    line.mend()
    stage.sees("the comment is pending", lambda: blog.page()["A post"] == {"A comment": "pending"})
    blog.write_post("A later post")
    later = {"A post": {"A comment": "pending"}, "A later post": {}}
    stage.sees("later events do not change that", lambda: blog.page() == later)
    stage.page(blog)
    stage.log(blog)

    stage.act(OURS)
    blog = stage.blog()
    line = stage.line(blog.url("query"))
    blog.reached_at["query"] = line.url
    post = write_a_post(stage, blog)
    stage.explain("The same again: the comment is delayed on its way to query.")
    line.delay("CommentCreated")
    publish(blog, "CommentCreated", post, "pending")
    verdict = publish(blog, "CommentUpdated", post, "approved")
    stage.fault("the comment does not arrive, and the log grows", lambda: line.hits and len(blog.events()) == 3)
    stage.sees("the bus has query at position 1", lambda: position(blog) == 1)
    stage.explain("We send the verdict, #3, to query by hand.")
    answer = blog.send("query", "/events", blog.bus.event(verdict["seq"]))
    stage.sees(
        "query answers 409 with its position, 1",
        lambda: answer.status_code == 409 and answer.json()["position"] == 1,
    )
    stage.explain("We repair the line.")
    line.mend()
    stage.sees(
        "query applies the comment, then its verdict", lambda: blog.page() == {"A post": {"A comment": "approved"}}
    )
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "Each event has a number, and a service applies only the next number. So the order is always right.",
        blog,
        "query has applied #2 before #3, although #2 was delayed",
        at=3,
        service="query",
    )


def write_a_post(stage: Stage, blog: Blog) -> str:
    """Start the blog and write a post; return its id."""
    stage.start(blog, "event-bus", "posts", "query")
    post = blog.write_post("A post")
    stage.sees("the page shows a post", lambda: "A post" in blog.page())
    return post


def publish(blog: Blog, kind: str, post: str, status: str) -> dict[str, Any]:
    """Publish an event about a comment in the name of comments; return the answer of the bus."""
    data = {"id": "c0ffee00", "postId": post, "content": "A comment", "status": status}
    return blog.bus.publish_one({"source": "/comments", "type": kind, "data": data})


def position(blog: Blog) -> int:
    """Return the position that the bus has for query."""
    return blog.bus.subscriber("query")["position"]
