"""A service comes back empty, and the log fills it."""

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 2
COURSE = "The course's query asks for the log once"
OURS = "Ours waits for the bus, and is replayed"


def play(stage: Stage) -> None:
    """Start query after it missed something: when the bus is there, and before it is."""
    stage.act(COURSE)
    blog = stage.blog("query")
    write_without_query(stage, blog)
    stage.tell("Now we start it: watch. It asks the bus for all events, the lesson of the chapter.")
    blog.start("query")
    stage.sees("query shows both posts", lambda: [*blog.page()] == TITLES)

    stage.tell("Now query and the bus are killed, and query is the first to come back.")
    stage.kill(blog, "query")
    stage.kill(blog, "event-bus")
    blog.start("query")
    blog.start("event-bus")
    stage.tell("The bus is back, too, with its log. We write one more post.")
    blog.write_post("Everybody is back")
    stage.sees("query shows only this one: it asked too early, and never again", lambda: [*blog.page()] == LAST)
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    write_without_query(stage, blog)
    stage.tell("The bus is killed, too, and query is the first to come back.")
    stage.kill(blog, "event-bus")
    blog.start("query")
    stage.sees("query is alive, and says that it is not ready", lambda: not blog.answers("query", "/readyz"))
    stage.tell("The bus is back, too. We write one more post.")
    blog.start("event-bus")
    blog.write_post("Everybody is back")
    stage.sees("query shows all three posts", lambda: [*blog.page()] == TITLES + LAST)
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "A service may forget everything, as long as it is replayed, whoever comes first.",
        blog,
        "the dashed arrows from the store are its replay",
        at=2,
        service="query",
    )


TITLES = ["Before", "While query is down"]
LAST = ["Everybody is back"]


def write_without_query(stage: Stage, blog: Blog) -> None:
    """Write a post, kill query, and write another one."""
    stage.start(blog, "event-bus", "posts", "query")
    stage.tell("We write a post. Then query is killed, and we write another one.")
    blog.write_post(TITLES[0])
    stage.sees("query shows the first", lambda: [*blog.page()] == TITLES[:1])
    stage.kill(blog, "query")
    blog.write_post(TITLES[1])
