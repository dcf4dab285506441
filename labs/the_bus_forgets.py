"""A restarted bus has an empty log: services differ."""

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 2
COURSE = "The course's second bus keeps events in memory"
OURS = "Ours in memory: a new log has a new id, and services see it"


def play(stage: Stage) -> None:
    """Kill a bus that keeps events in memory: the course's bus, then ours."""
    stage.act(COURSE)
    blog = stage.blog("event-bus")
    write_and_kill_the_bus(stage, blog)
    stage.explain("No service notices that. Then query is restarted, as happens every day.")
    stage.kill(blog, "query")
    stage.start(blog, "query")
    blog.write_post("After the bus came back")
    stage.sees("posts has three posts", lambda: len(blog.get("posts", "/posts")) == 3)
    stage.sees("query has one post: which service is right?", lambda: len(blog.page()) == 1)

    stage.act(OURS)
    blog = stage.blog(EVENT_STORE="memory")
    write_and_kill_the_bus(stage, blog)
    stage.explain("Each answer of the bus names the id of its log, and this log has a new id.")
    stage.sees("posts sees the new id, and starts over empty", lambda: blog.get("posts", "/posts") == {})
    stage.sees("query starts over empty, too", lambda: blog.page() == {})
    blog.write_post("After the bus came back")
    stage.sees("posts has one post now", lambda: len(blog.get("posts", "/posts")) == 1)
    stage.sees("query has the same post", lambda: len(blog.page()) == 1)
    stage.log(blog)

    stage.end(
        "A log in memory ends with its bus. Because a log has an id, all services start over together and agree. "
        "To keep the log on disk: make lab LAB=the-bus-remembers",
        blog,
        "the log has one event, and not the two before the restart",
        at=1,
        service="query",
    )


def write_and_kill_the_bus(stage: Stage, blog: Blog) -> None:
    """Write two posts, kill the bus, and start it again."""
    stage.start(blog, "event-bus", "posts", "query")
    stage.explain("We write two posts.")
    blog.write_post("The first")
    blog.write_post("The second")
    stage.sees("query shows both posts", lambda: [*blog.page()] == ["The first", "The second"])
    stage.log(blog)

    stage.explain("The bus is killed, and started again.")
    stage.kill(blog, "event-bus")
    blog.start("event-bus")
    stage.fault("the log is empty", lambda: not blog.events())
