"""A comment that moderation misses is never judged."""

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 2
COURSE = "The course's moderation gets only what comes while it is up"
OURS = "Ours is replayed from the beginning, as every service is"
TITLE = "Does moderation read this?"


def play(stage: Stage) -> None:
    """Write a comment while moderation is down: the course's moderation, then ours."""
    stage.act(COURSE)
    blog = stage.blog("moderation")
    comment_without_moderation(stage, blog)
    stage.sees("the new comment is judged, the old one never is", lambda: statuses(blog) == ["pending", "approved"])
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    comment_without_moderation(stage, blog)
    stage.sees("both comments are judged, the old one late", lambda: statuses(blog) == ["approved"] * 2)
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "An event is not a telephone call: a service that was down gets the event later, and reacts then.",
        blog,
        "the ✕ shows that moderation missed #2; the chain of #2 has the late verdict",
        at=2,
        service="query",
    )


def comment_without_moderation(stage: Stage, blog: Blog) -> None:
    """Kill moderation, write a comment, start moderation, and write another comment."""
    stage.start(blog)
    post = blog.write_post(TITLE)
    stage.explain("There is a post. moderation is killed, then a reader comments on the post.")
    stage.kill(blog, "moderation")
    blog.write_comment(post, "Written while moderation is down")
    stage.sees("the comment is pending", lambda: statuses(blog) == ["pending"])

    stage.explain("Now we start moderation again. A reader writes another comment.")
    stage.start(blog, "moderation")
    blog.write_comment(post, "Written when moderation is back")


def statuses(blog: Blog) -> list[str]:
    """Return the status of each comment on the page."""
    return list(blog.page()[TITLE].values())
