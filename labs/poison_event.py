"""An event that no handler can apply blocks others."""

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 2
COURSE = "The course's moderation ends with an error"
OURS = "Ours rejects the event, and the bus parks it"


def play(stage: Stage) -> None:
    """Publish a comment without content: to the course's moderation, then to ours."""
    stage.act(COURSE)
    blog = stage.blog("moderation")
    poison(stage, blog)
    process = blog.processes["moderation"]
    stage.fault("moderation is dead", lambda: process.poll() is not None)
    stage.explain("No part reports that. A reader writes a comment, this time a good one.")
    blog.write_comment(post_of(blog), "A good comment")
    stage.sees("the comment is pending", lambda: blog.page()["A post"] == {"A good comment": "pending"})
    stage.explain("Then moderation is started again, and a reader writes another comment.")
    stage.start(blog, "moderation")
    blog.write_comment(post_of(blog), "A later comment")
    judged = {"A good comment": "pending", "A later comment": "approved"}
    stage.sees("the later comment is judged, the good one never is", lambda: blog.page()["A post"] == judged)
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    poison(stage, blog)
    stage.fault("moderation cannot apply #2", lambda: parked(blog) == [2])
    stage.explain("After three tries the bus parked #2, so moderation skips it. A reader writes a comment.")
    blog.write_comment(post_of(blog), "A good comment")
    stage.sees("the comment is judged", lambda: blog.page()["A post"] == {"A good comment": "approved"})
    stage.sees("moderation is still running", lambda: blog.processes["moderation"].poll() is None)
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "One bad event must not end a service or delay the good ones. The bus parks it; the log keeps it.",
        blog,
        "each ✕ is a service that rejects #2; the events after it arrive",
        at=2,
        service="moderation",
    )


def poison(stage: Stage, blog: Blog) -> None:
    """Write a post, and publish a comment on it that has no content."""
    stage.start(blog)
    post = blog.write_post("A post")
    stage.sees("the page shows the post", lambda: "A post" in blog.page())
    stage.explain("A faulty client publishes a CommentCreated without content.")
    data = {"id": "c0ffee00", "postId": post, "status": "pending"}
    blog.bus.publish_one({"type": "CommentCreated", "data": data})


def parked(blog: Blog) -> list[int]:
    """Return the numbers of the events that are parked for moderation."""
    return blog.bus.subscriber("moderation")["parked"]


def post_of(blog: Blog) -> str:
    """Return the id of the only post."""
    [post] = blog.get("posts", "/posts")
    return post
