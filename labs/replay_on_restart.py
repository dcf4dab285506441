"""A service restarts empty, and the log refills it."""

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 2
COURSE = "The course's query reads the log once, when it starts"
OURS = "Ours waits for the bus, and is replayed"


def play(stage: Stage) -> None:
    """Start query after it missed a post: while the bus is up, then before the bus is up."""
    stage.act(COURSE)
    blog = stage.blog("query")
    write_without_query(stage, blog)
    stage.explain("Now we start query. It reads all events from the bus, as the chapter shows.")
    blog.start("query")
    stage.sees("query shows both posts", lambda: [*blog.page()] == TITLES)

    stage.explain("Now query and the bus are killed, and query is started first.")
    stage.kill(blog, "query")
    stage.kill(blog, "event-bus")
    blog.start("query")
    blog.start("event-bus")
    stage.explain("The bus is started, and still has its log. We write one more post.")
    blog.write_post(LAST[0])
    stage.sees("query shows only this post: it read the log too early, and only once", lambda: [*blog.page()] == LAST)
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    write_without_query(stage, blog)
    stage.explain("The bus is killed too, and query is started first.")
    stage.kill(blog, "event-bus")
    blog.start("query")
    stage.sees("query is running, and answers that it is not ready", lambda: not blog.answers("query", "/readyz"))
    stage.explain("The bus is started too. We write one more post.")
    blog.start("event-bus")
    blog.write_post(LAST[0])
    stage.sees("query shows all three posts", lambda: [*blog.page()] == TITLES + LAST)
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "A service may lose its state: the log restores it, in whichever order the parts start.",
        blog,
        "the dashed arrows from the store are the replay of query",
        at=2,
        service="query",
    )


TITLES = ["Before query is killed", "While query is down"]
LAST = ["All parts are up again"]


def write_without_query(stage: Stage, blog: Blog) -> None:
    """Write a post, kill query, and write another post."""
    stage.start(blog, "event-bus", "posts", "query")
    stage.explain("We write a post. Then query is killed, and we write another post.")
    blog.write_post(TITLES[0])
    stage.sees("query shows the first post", lambda: [*blog.page()] == TITLES[:1])
    stage.kill(blog, "query")
    blog.write_post(TITLES[1])
