"""A service saves, then publishes, killed in between."""

import sys
from concurrent.futures import Future
from typing import Any

from labs.line import Line
from labs.stage import Stage
from labs.system import Blog

CHAPTER = 16
COURSE = "Save, then publish: labs/services/saves_then_publishes.py"
OURS = "Publish, and be told by the log like everybody else"
LOST = "Written at a bad moment"


def play(stage: Stage) -> None:
    """Kill posts while its event is on its way to the bus: one with a database of its own, and ours."""
    stage.act(COURSE)
    blog = stage.blog()
    blog.add("posts", sys.executable, "-m", "labs.services.saves_then_publishes")
    line = kill_before_the_bus_has_it(stage, blog)
    stage.sees("posts has the post, in its database", lambda: titles(blog, "posts") == [LOST])
    blog.write_post("Written later")
    stage.sees("query has only a later one", lambda: titles(blog, "query") == ["Written later"])
    stage.tell("posts has two, query one, for ever: the event is nowhere, and nobody knows that it is missing.")
    stage.log(blog)

    stage.act(OURS)
    blog = stage.blog()
    line = kill_before_the_bus_has_it(stage, blog)
    blog.write_post("Written later")
    stage.sees("query has only the later one", lambda: titles(blog, "query") == ["Written later"])
    stage.sees("so has posts, and who wrote never got a yes", lambda: titles(blog, "posts") == ["Written later"])

    stage.tell("Now posts is killed a moment later: the bus has the event, and posts does not know.")
    line.hold_an_answer(LOST)
    writer = write_and_kill(stage, blog, line)
    line.mend()
    stage.start(blog, "posts")
    both = ["Written later", LOST]
    stage.sees("who wrote got no answer", writer.exception)
    stage.sees("query has the post", lambda: titles(blog, "query") == both)
    stage.sees("so has posts, from the log", lambda: titles(blog, "posts") == both)
    stage.log(blog)

    stage.end(
        "Two places to write are two truths. With the log as the only one, nobody can disagree.",
        blog,
        "the ✕ is posts being killed, and the dashed arrow brings it #2 from the store",
        at=2,
        service="posts",
    )


def kill_before_the_bus_has_it(stage: Stage, blog: Blog) -> Line:
    """Hold what posts publishes, and kill posts; what was held is lost with it."""
    line = stage.line(blog.url("event-bus"))
    blog.bus_seen_by["posts"] = line.url
    stage.start(blog, "event-bus", "posts", "query")
    stage.tell("Somebody writes a post. Its event is on its way to the bus when posts is killed.")
    line.hold_and_lose(LOST)
    write_and_kill(stage, blog, line)
    line.mend()
    stage.start(blog, "posts")
    return line


def write_and_kill(stage: Stage, blog: Blog, line: Line) -> Future[Any]:
    """Let somebody write a post, and kill posts when the line has got hold of its event."""
    before = line.hits
    writer = stage.later(lambda: blog.write_post(LOST))
    stage.fault("the event is on its way", lambda: line.hits > before)
    stage.kill(blog, "posts")
    return writer


def titles(blog: Blog, name: str) -> list[str]:
    """Return the titles of the posts that a service has."""
    return [post["title"] for post in blog.get(name, "/posts").values()]
