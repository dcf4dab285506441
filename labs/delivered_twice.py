"""An answer is lost, so the event is sent again."""

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 14
COURSE = "The course's bus and query do what they are told, twice"
OURS = "Ours know an event by its id, and their place by its number"


def play(stage: Stage) -> None:
    """Lose an answer of the bus, and one of query."""
    stage.act(COURSE)
    blog = stage.blog("event-bus", "query")
    lose_an_answer_of_the_bus(stage, blog)
    stage.sees("the page shows the comment twice", lambda: shown(blog) == 2)
    stage.page(blog)
    stage.log(blog)

    stage.act(OURS)
    blog = stage.blog()
    line = stage.line(blog.url("query"))
    blog.reached_at["query"] = line.url
    lose_an_answer_of_the_bus(stage, blog)
    stage.sees("the comment is judged", lambda: blog.page() == {"A post": {"A comment": "approved"}})
    stage.sees("the page shows it once", lambda: shown(blog) == 1)
    stage.sees("the bus has it once: the same source and id is the same event", lambda: in_the_log(blog) == 1)

    stage.tell("Now an answer of query gets lost. The bus cannot know, so it delivers that event again.")
    line.lose_an_answer("The second post")
    blog.write_post("The second post")
    stage.fault("query has heard of it, and the bus does not know", lambda: line.hits)
    stage.sees("the bus delivers it again", lambda: line.count("The second post") >= 2)
    stage.sees("query passes over what it has, and shows it once", lambda: len(blog.page()) == 2)
    stage.log(blog)

    stage.end(
        "Delivered once cannot be promised. Applied once can: by an id, and by a place in the log.",
        blog,
        "the small ✕ at query is the first try with #5, the arrow the second",
        at=5,
        service="query",
    )


def lose_an_answer_of_the_bus(stage: Stage, blog: Blog) -> None:
    """Write a comment whose publisher does not hear that the bus has it."""
    line = stage.line(blog.url("event-bus"))
    blog.bus_seen_by["comments"] = line.url
    stage.start(blog)
    post = blog.write_post("A post")
    stage.sees("there is a post on the page", lambda: "A post" in blog.page())
    stage.tell("Somebody writes a comment. The bus has it and says so, but that answer gets lost.")
    line.lose_an_answer("CommentCreated")
    blog.write_comment(post, "A comment")
    stage.fault("comments did not hear the answer", lambda: line.hits)
    stage.sees("so it publishes the event again", lambda: line.count("CommentCreated") >= 2)


def shown(blog: Blog) -> int:
    """Return how many comments the page shows."""
    return sum(len(post["comments"]) for post in blog.get("query", "/posts").values())


def in_the_log(blog: Blog) -> int:
    """Return how often the comment is in the log."""
    return [event["type"] for event in blog.events()].count("CommentCreated")
