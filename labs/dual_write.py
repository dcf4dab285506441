"""A service saves, is killed, and never publishes."""

import sys
from concurrent.futures import Future
from typing import Any

from harness.blog import Blog
from labs.line import Line
from labs.stage import Stage

CHAPTER = 16
COURSE = "Save, then publish: labs/services/saves_then_publishes.py"
OURS = "Publish, then apply the event when the log delivers it"
LOST = "Written at a bad moment"


def play(stage: Stage) -> None:
    """Kill posts while its event is on its way to the bus: a posts with its own database, then ours."""
    stage.act(COURSE)
    blog = stage.blog()
    blog.add("posts", sys.executable, "-m", "labs.services.saves_then_publishes")
    line = kill_before_the_bus_has_it(stage, blog)
    stage.sees("posts has the post in its database", lambda: titles(blog, "posts") == [LOST])
    blog.write_post("Written later")
    stage.sees("query has only a later post", lambda: titles(blog, "query") == ["Written later"])
    stage.explain("posts has two posts, query has one, for ever. The event is lost, and no part can find that out.")
    stage.log(blog)

    stage.act(OURS)
    blog = stage.blog()
    line = kill_before_the_bus_has_it(stage, blog)
    blog.write_post("Written later")
    stage.sees("query has only the later post", lambda: titles(blog, "query") == ["Written later"])
    stage.sees(
        "posts has only the later post; the writer got no 201", lambda: titles(blog, "posts") == ["Written later"]
    )

    stage.explain("Now posts is killed a moment later: the bus has stored the event, posts has no answer yet.")
    line.delay_an_answer(LOST)
    writer = write_and_kill(stage, blog, line)
    line.mend()
    stage.start(blog, "posts")
    both = ["Written later", LOST]
    stage.sees("the writer got no answer", writer.exception)
    stage.sees("query has the post", lambda: titles(blog, "query") == both)
    stage.sees("posts has the post too, from the log", lambda: titles(blog, "posts") == both)
    stage.log(blog)

    stage.end(
        "Two places to write can differ. If the log is the only one, all services have the same posts.",
        blog,
        "the ✕ shows that posts was killed, the dashed arrow delivers #2 from the store",
        at=2,
        service="posts",
    )


def kill_before_the_bus_has_it(stage: Stage, blog: Blog) -> Line:
    """Hold back what posts publishes, kill posts, and lose what was held back."""
    line = stage.line(blog.url("event-bus"))
    blog.bus_seen_by["posts"] = line.url
    stage.start(blog, "event-bus", "posts", "query")
    stage.explain("A reader writes a post. posts is killed while the event is on its way to the bus.")
    line.delay_and_lose(LOST)
    write_and_kill(stage, blog, line)
    line.mend()
    stage.start(blog, "posts")
    return line


def write_and_kill(stage: Stage, blog: Blog, line: Line) -> Future[Any]:
    """Write a post, and kill posts as soon as the line has its event; return the write under way."""
    before = line.hits
    writer = stage.later(lambda: blog.write_post(LOST))
    stage.fault("the event is on its way", lambda: line.hits > before)
    stage.kill(blog, "posts")
    return writer


def titles(blog: Blog, name: str) -> list[str]:
    """Return the titles of the posts that a service has."""
    return [post["title"] for post in blog.get(name, "/posts").values()]
