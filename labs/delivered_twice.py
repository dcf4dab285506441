"""An answer is lost, so the event is delivered again."""

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 14
COURSE = "The course's bus and query process the event twice"
OURS = "Ours recognize an event by its id, and a duplicate by its number"


def play(stage: Stage) -> None:
    """Lose an answer of the bus, then an answer of query."""
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
    stage.sees("the page shows the comment once", lambda: shown(blog) == 1)
    stage.sees(
        "the log has it once: an event with a known source and id is the same event", lambda: in_the_log(blog) == 1
    )

    stage.explain("Now an answer of query is lost. The bus cannot know that query applied the event. It retries.")
    line.lose_an_answer("The second post")
    blog.write_post("The second post")
    stage.fault("query has applied the event, and its answer is lost", lambda: line.hits)
    stage.sees("the bus delivers the event again", lambda: line.count("The second post") >= 2)
    stage.sees("query skips the duplicate, and shows the post once", lambda: len(blog.page()) == 2)
    stage.log(blog)

    stage.end(
        "No bus can promise to deliver an event once. A service can apply it once: by its id, and its number.",
        blog,
        "the small ✕ at query is the first delivery of #5, the arrow is the second",
        at=5,
        service="query",
    )


def lose_an_answer_of_the_bus(stage: Stage, blog: Blog) -> None:
    """Write a comment, and lose the answer that the bus gives to comments."""
    line = stage.line(blog.url("event-bus"))
    blog.bus_seen_by["comments"] = line.url
    stage.start(blog)
    post = blog.write_post("A post")
    stage.sees("the page shows a post", lambda: "A post" in blog.page())
    stage.explain("A reader writes a comment. The bus stores it and answers 200, but the answer is lost.")
    line.lose_an_answer("CommentCreated")
    blog.write_comment(post, "A comment")
    stage.fault("comments did not get the answer", lambda: line.hits)
    stage.sees("comments publishes the event again", lambda: line.count("CommentCreated") >= 2)


def shown(blog: Blog) -> int:
    """Return how many comments the page shows."""
    return sum(len(post["comments"]) for post in blog.get("query", "/posts").values())


def in_the_log(blog: Blog) -> int:
    """Return how many times the log has the comment."""
    return [event["type"] for event in blog.events()].count("CommentCreated")
