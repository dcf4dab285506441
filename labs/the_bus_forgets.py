"""An empty log after a restart, and services disagree."""

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 2
COURSE = "The course's second bus keeps events in memory"
OURS = "Ours in memory: the log has an id, and a new one is noticed"


def play(stage: Stage) -> None:
    """Kill a bus that keeps events in memory: the course's, and ours."""
    stage.act(COURSE)
    blog = stage.blog("event-bus")
    write_and_kill_the_bus(stage, blog)
    stage.tell("Nobody has noticed. Then query is restarted, as happens every day.")
    stage.kill(blog, "query")
    stage.start(blog, "query")
    blog.write_post("After the bus came back")
    stage.sees("posts has three posts", lambda: len(blog.get("posts", "/posts")) == 3)
    stage.sees("query has one, and who of them is right?", lambda: len(blog.page()) == 1)

    stage.act(OURS)
    blog = stage.blog(EVENT_STORE="memory")
    write_and_kill_the_bus(stage, blog)
    stage.tell("Every answer of the bus names its log, and this is another one.")
    stage.sees("posts has noticed, and starts over with nothing", lambda: blog.get("posts", "/posts") == {})
    stage.sees("so has query: no posts", lambda: blog.page() == {})
    blog.write_post("After the bus came back")
    stage.sees("posts has one post now", lambda: len(blog.get("posts", "/posts")) == 1)
    stage.sees("query has the same one", lambda: len(blog.page()) == 1)
    stage.log(blog)

    stage.end(
        "A log in memory is gone with its bus. If it has an id, at least all services start over together, "
        "and agree. Keep it on disk: make lab LAB=the-bus-remembers",
        blog,
        "the log has one event, and nothing of the two before",
        at=1,
        service="query",
    )


def write_and_kill_the_bus(stage: Stage, blog: Blog) -> None:
    """Write two posts, kill the bus, and start it again."""
    stage.start(blog, "event-bus", "posts", "query")
    stage.tell("We write two posts.")
    blog.write_post("The first")
    blog.write_post("The second")
    stage.sees("query shows both", lambda: [*blog.page()] == ["The first", "The second"])
    stage.log(blog)

    stage.tell("The bus is killed, and started again.")
    stage.kill(blog, "event-bus")
    blog.start("event-bus")
    stage.fault("its log is empty", lambda: not blog.events())
