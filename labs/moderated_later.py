"""A service dies between an event and its reaction."""

from harness.blog import Blog
from labs.line import Line
from labs.stage import Stage

CHAPTER = 2
COURSE = "The course's moderation loses its verdict"
OURS = "Ours publishes its verdict until the log has it"


def play(stage: Stage) -> None:
    """Break the line from moderation to the bus when it publishes a verdict: the course's moderation, then ours."""
    stage.act(COURSE)
    blog = stage.blog("moderation")
    line = lose_the_verdict(stage, blog)
    process = blog.processes["moderation"]
    stage.sees("moderation ends with an error", lambda: process.poll() is not None)
    stage.explain("We repair the line and start moderation again. A reader writes another comment.")
    line.mend()
    stage.start(blog, "moderation")
    blog.write_comment(post_of(blog), "The second comment")
    stage.sees("the second comment is judged, the first never is", lambda: statuses(blog) == ["pending", "approved"])
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    line = lose_the_verdict(stage, blog)
    stage.sees("moderation stays up, and retries", lambda: line.hits > 2)
    stage.explain("We kill moderation; only its memory had the verdict. Then we repair the line and start moderation.")
    stage.kill(blog, "moderation")
    line.mend()
    stage.start(blog, "moderation")
    stage.sees("the replay gave the same verdict, and moderation published it", lambda: statuses(blog) == ["approved"])

    stage.explain("moderation is killed and replayed once more. Is the comment judged twice?")
    stage.kill(blog, "moderation")
    stage.start(blog, "moderation")
    blog.write_comment(post_of(blog), "The second comment")
    stage.sees("both comments are judged", lambda: statuses(blog) == ["approved", "approved"])
    stage.sees(
        "each comment has one verdict",
        lambda: [event["type"] for event in blog.events()].count("CommentModerated") == 2,
    )
    stage.log(blog)

    stage.end(
        "The id of a verdict is derived from its cause. So a replay publishes what is missing, and nothing twice.",
        blog,
        "the chain of #3, the verdict, begins with its cause",
        at=3,
        service="comments",
    )


def lose_the_verdict(stage: Stage, blog: Blog) -> Line:
    """Break the line from moderation to the bus, and write a comment; return the line."""
    line = stage.line(blog.url("event-bus"))
    blog.bus_seen_by["moderation"] = line.url
    stage.start(blog)
    post = blog.write_post("A post")
    stage.explain("The line from moderation to the bus breaks. A reader writes a comment.")
    line.lose("CommentModerated")
    blog.write_comment(post, "The first comment")
    stage.fault("moderation has judged the comment, and its verdict is lost", lambda: line.hits)
    return line


def post_of(blog: Blog) -> str:
    """Return the id of the only post."""
    [post] = blog.get("posts", "/posts")
    return post


def statuses(blog: Blog) -> list[str]:
    """Return the status of each comment on the page."""
    return list(blog.page()["A post"].values())
