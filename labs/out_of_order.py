"""An event overtakes another: pending for ever."""

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 19
COURSE = "The course's bus sends all at once"
OURS = "Ours sends one after the other, and numbers them"
PAGE = "A post"


def play(stage: Stage) -> None:
    """Hold up one event on its way to query, until later ones could have overtaken it."""
    stage.act(COURSE)
    blog = stage.blog("event-bus", "query")
    line = stage.line(blog.url("query"))
    blog.settings["SUBSCRIBERS"] = blog.settings["SUBSCRIBERS"].replace(blog.url("query"), line.url)
    stage.start(blog)
    post = blog.write_post(PAGE)
    stage.sees("the post is on the page", lambda: PAGE in blog.page())

    stage.tell("A comment is written. On its way to query, CommentCreated is held up.")
    line.hold("CommentCreated")
    blog.write_comment(post, "A comment")
    stage.fault("CommentUpdated, its verdict, overtakes it", lambda: line.hits and line.count("CommentUpdated"))
    stage.log(blog)
    stage.tell("The verdict on a comment that query does not know: an error, and gone. Then the comment comes.")
    line.mend()
    blog.write_comment(post, "Another one")
    stage.sees("the next comment is judged", lambda: blog.page()[PAGE].get("Another one") == "approved")
    stage.sees("this one waits for ever", lambda: blog.page()[PAGE].get("A comment") == "pending")
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    line = stage.line(blog.url("query"))
    blog.reached_at["query"] = line.url
    stage.start(blog)
    post = blog.write_post(PAGE)
    stage.sees("the post is on the page", lambda: PAGE in blog.page())

    stage.tell("The same again: on its way to query, CommentCreated is held up.")
    line.hold("CommentCreated")
    blog.write_comment(post, "A comment")
    stage.fault("it does not come, and the log goes on to #4", lambda: line.hits and len(blog.events()) == 4)
    stage.sees("query is at #1, and the bus knows it", lambda: position(blog) == 1)
    stage.tell("Somebody in a hurry brings query event #4 by hand.")
    answer = blog.send("query", "/events", blog.events()[3])
    stage.sees("query says 409: I am at 1", lambda: answer.status_code == 409 and answer.json()["position"] == 1)
    stage.tell("The line is mended.")
    line.mend()
    stage.sees("comment first, verdict second", lambda: blog.page()[PAGE] == {"A comment": "approved"})
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "Order is not luck: each event has a number, and a service takes only the next one.",
        blog,
        "the arrows to query come late, and in the order of the log",
        at=4,
        service="query",
    )


def position(blog: Blog) -> int:
    """Return how far the bus takes query to be."""
    return blog.get("event-bus", "/subscribers/query")["position"]
