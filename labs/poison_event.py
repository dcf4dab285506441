"""An event that nobody can read, and those behind it."""

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 2
COURSE = "The course's moderation dies of it"
OURS = "Ours says which event it cannot apply, and that one is parked"


def play(stage: Stage) -> None:
    """Publish a comment without content: to the course's moderation, and to ours."""
    stage.act(COURSE)
    blog = stage.blog("moderation")
    poison(stage, blog)
    process = blog.processes["moderation"]
    stage.fault("moderation is dead", lambda: process.poll() is not None)
    stage.tell("Nobody has noticed. Somebody writes a comment, and nothing is wrong with this one.")
    blog.write_comment(post_of(blog), "A good comment")
    stage.sees("it is pending", lambda: blog.page()["A post"] == {"A good comment": "pending"})
    stage.tell("Then moderation is started again, and another comment is written.")
    stage.start(blog, "moderation")
    blog.write_comment(post_of(blog), "A later comment")
    judged = {"A good comment": "pending", "A later comment": "approved"}
    stage.sees("the one in between waits for ever", lambda: blog.page()["A post"] == judged)
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    poison(stage, blog)
    stage.fault("moderation cannot apply #2", lambda: parked(blog) == [2])
    stage.tell("It was tried three times, then parked: shown, and in nobody's way. Somebody writes a comment.")
    blog.write_comment(post_of(blog), "A good comment")
    stage.sees("it is judged", lambda: blog.page()["A post"] == {"A good comment": "approved"})
    stage.sees("moderation is well", lambda: blog.processes["moderation"].poll() is None)
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "One bad event must not end a service, nor hold up the good ones. It is parked, and still in the log.",
        blog,
        "the ✕ are three services that refuse #2; what came after it arrives",
        at=2,
        service="moderation",
    )


def poison(stage: Stage, blog: Blog) -> None:
    """Write a post, and publish a comment on it that has no content."""
    stage.start(blog)
    post = blog.write_post("A post")
    stage.sees("the post is on the page", lambda: "A post" in blog.page())
    stage.tell("Somebody publishes a CommentCreated without content.")
    data = {"id": "c0ffee00", "postId": post, "status": "pending"}
    blog.send("event-bus", "/events", {"type": "CommentCreated", "data": data}).raise_for_status()


def parked(blog: Blog) -> list[int]:
    """Return the events that are parked for moderation."""
    return blog.get("event-bus", "/subscribers/moderation")["parked"]


def post_of(blog: Blog) -> str:
    """Return the id of the only post."""
    [post] = blog.get("posts", "/posts")
    return post
