"""A killed bus keeps every event that it acknowledged."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from minibus.bus.client import BusAway

from harness.blog import Blog
from harness.waiting import eventually
from labs.stage import Stage

CHAPTER = 2
COURSE = "The course's way: events in memory (EVENT_STORE=memory)"
OURS = "On disk before the answer (EVENT_STORE=sqlite)"
WRITERS, MANY = 4, 200


def play(stage: Stage) -> None:
    """Kill the bus while four writers publish: with the log in memory, then in SQLite."""
    stage.act(COURSE)
    blog = stage.blog(EVENT_STORE="memory")
    answered = write_until_it_dies(stage, blog)
    stage.sees("of these posts, the bus has none", lambda: answered and not blog.events())

    stage.act(OURS)
    blog = stage.blog()
    answered = write_until_it_dies(stage, blog)
    stage.sees("of these posts, the bus has every one", lambda: answered <= ids(blog))
    stage.sees(
        "the log has each post once, and no number is missing", lambda: numbers(blog) == [*range(1, len(ids(blog)) + 1)]
    )
    stage.start(blog, "query")
    stage.sees("query is replayed, and shows every post", lambda: blog.get("query", "/posts").keys() == ids(blog))

    stage.end(
        "Append, then answer: an acknowledged event is on disk. An acknowledgement from memory promises nothing.",
        blog,
        "the strip shows the whole log; click it to see what query held then",
        at=MANY // 2,
        service="query",
    )


def write_until_it_dies(stage: Stage, blog: Blog) -> set[str]:
    """Publish with four writers, kill the bus, start it again; return the ids that the bus acknowledged."""
    stage.start(blog, "event-bus")
    answered: set[str] = set()

    def write() -> None:
        bus = blog.bus
        with suppress(BusAway):
            while True:
                post = {"id": uuid.uuid4().hex[:8], "title": "Written in a hurry"}
                bus.publish_one({"type": "PostCreated", "data": post})
                answered.add(post["id"])

    stage.explain("Four writers publish posts as fast as they can. Meanwhile the bus is killed.")
    with ThreadPoolExecutor(WRITERS) as writers:
        for _ in range(WRITERS):
            writers.submit(write)
        eventually(lambda: len(answered) > MANY)
        stage.kill(blog, "event-bus")
    stage.sees(f"the bus acknowledged {len(answered)} posts", lambda: len(answered) > MANY)
    stage.explain("We start the bus again, and count.")
    blog.start("event-bus")
    return answered


def ids(blog: Blog) -> set[str]:
    """Return the ids of all posts in the log."""
    return {event["data"]["id"] for event in blog.events()}


def numbers(blog: Blog) -> list[int]:
    """Return the numbers of all events in the log."""
    return [event["seq"] for event in blog.events()]
