"""A comment without moderation waits for ever."""

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 2
COURSE = "The course's moderation hears what comes while it is up"
OURS = "Ours is replayed from the beginning, like everybody"


def play(stage: Stage) -> None:
    """Write a comment without moderation: the course's, and ours."""
    stage.act(COURSE)
    blog = stage.blog("moderation")
    comment_without_moderation(stage, blog)
    stage.sees(
        "the new comment is judged; the old one waits for ever", lambda: statuses(blog) == ["pending", "approved"]
    )
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    comment_without_moderation(stage, blog)
    stage.sees("both are judged: the old one late, and just as surely", lambda: statuses(blog) == ["approved"] * 2)
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "An event is not a telephone call: who was away hears of it later, and answers then.",
        blog,
        "the ✕ is moderation missing #2, and the chain of #2 has the verdict that came late",
        at=2,
        service="query",
    )


def comment_without_moderation(stage: Stage, blog: Blog) -> None:
    """Kill moderation, comment, start moderation, and comment once more."""
    stage.start(blog)
    post = blog.write_post("Is anybody reading this?")
    stage.tell("There is a post. moderation is killed, and somebody comments on it.")
    stage.kill(blog, "moderation")
    blog.write_comment(post, "Written while moderation is down")
    stage.sees("the comment is pending", lambda: statuses(blog) == ["pending"])

    stage.tell("Now we start moderation again, and somebody writes another comment.")
    stage.start(blog, "moderation")
    blog.write_comment(post, "Written when it is back")


def statuses(blog: Blog) -> list[str]:
    """Return what the page says of each comment."""
    return list(blog.page()["Is anybody reading this?"].values())
