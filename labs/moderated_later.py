"""A service dies after it heard, before it answered."""

from labs.line import Line
from labs.stage import Stage
from labs.system import Blog

CHAPTER = 2
COURSE = "The course's moderation, when its verdict gets lost"
OURS = "Ours owes its verdict until it sees it in the log"


def play(stage: Stage) -> None:
    """Break the line from moderation to the bus at the moment of its verdict: the course's, and ours."""
    stage.act(COURSE)
    blog = stage.blog("moderation")
    line = lose_the_verdict(stage, blog)
    process = blog.processes["moderation"]
    stage.sees("moderation dies of it", lambda: process.poll() is not None)
    stage.tell("We mend the line, start moderation again, and somebody writes another comment.")
    line.mend()
    stage.start(blog, "moderation")
    blog.write_comment(post_of(blog), "The second comment")
    stage.sees("the second is judged; the first waits for ever", lambda: statuses(blog) == ["pending", "approved"])
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    line = lose_the_verdict(stage, blog)
    stage.sees("moderation lives, and tries again", lambda: line.hits > 2)
    stage.tell("We kill it, with the verdict that only it knows. Then we mend the line and start it.")
    stage.kill(blog, "moderation")
    line.mend()
    stage.start(blog, "moderation")
    stage.sees("it was replayed, came to the same verdict, and published it", lambda: statuses(blog) == ["approved"])

    stage.tell("It is killed once more, and replayed once more. Is the comment judged twice?")
    stage.kill(blog, "moderation")
    stage.start(blog, "moderation")
    blog.write_comment(post_of(blog), "The second comment")
    stage.sees("both comments are judged", lambda: statuses(blog) == ["approved", "approved"])
    stage.sees(
        "and each of them once", lambda: [event["type"] for event in blog.events()].count("CommentModerated") == 2
    )
    stage.log(blog)

    stage.end(
        "A verdict has an id that comes from its cause. So a replay finds what is owed, and repeats nothing.",
        blog,
        "the chain of #3, the verdict, begins with its cause",
        at=3,
        service="comments",
    )


def lose_the_verdict(stage: Stage, blog: Blog) -> Line:
    """Break the line, and write a comment."""
    line = stage.line(blog.url("event-bus"))
    blog.bus_seen_by["moderation"] = line.url
    stage.start(blog)
    post = blog.write_post("A post")
    stage.tell("The line from moderation to the bus breaks. Somebody writes a comment.")
    line.lose("CommentModerated")
    blog.write_comment(post, "The first comment")
    stage.fault("moderation has judged it, and its verdict gets lost", lambda: line.hits)
    return line


def post_of(blog: Blog) -> str:
    """Return the id of the only post."""
    [post] = blog.get("posts", "/posts")
    return post


def statuses(blog: Blog) -> list[str]:
    """Return what the page says of each comment."""
    return list(blog.page()["A post"].values())
