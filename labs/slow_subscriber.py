"""A subscriber hangs: where do its events wait?"""

import uuid

import psutil

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 14
COURSE = "The course's bus keeps an open request for each event"
OURS = "Ours keeps one position for each subscriber"
MANY = 100


def play(stage: Stage) -> None:
    """Freeze query and publish many events: on the course's bus, then on ours."""
    stage.act(COURSE)
    blog = stage.blog("event-bus")
    freeze_query_and_publish(stage, blog)
    stage.sees(f"the bus has {MANY} open requests to query, one for each event", lambda: connections(blog) >= MANY)
    stage.explain("Each further event opens one more, until memory or sockets run out.")

    stage.act(OURS)
    blog = stage.blog()
    freeze_query_and_publish(stage, blog)
    stage.sees("the bus has one connection to query", lambda: connections(blog) == 1)
    stage.sees(f"the bus shows a lag of {MANY} for query, and of 0 for posts", lambda: lags(blog) == LAGS)
    stage.explain("query continues.")
    blog.thaw("query")
    stage.sees(f"query shows all {MANY} posts", lambda: len(blog.get("query", "/posts")) == MANY)
    stage.sees("every lag is 0", lambda: not any(lags(blog).values()))

    stage.end(
        "A slow subscriber has a lag, and nothing else changes. Its events wait in the log, not in the bus's memory.",
        blog,
        "one arrow delivers many events to query",
        at=MANY,
        service="query",
    )


LAGS = {"posts": 0, "query": MANY}


def freeze_query_and_publish(stage: Stage, blog: Blog) -> None:
    """Freeze query, and publish many posts."""
    stage.start(blog, "event-bus", "posts", "query")
    stage.explain(f"query hangs: we freeze it. Meanwhile we publish {MANY} posts.")
    stage.freeze(blog, "query")
    bus = blog.bus
    for number in range(MANY):
        bus.publish_one({"type": "PostCreated", "data": {"id": uuid.uuid4().hex[:8], "title": f"Post {number}"}})
    stage.sees(f"posts has all {MANY} posts", lambda: len(blog.get("posts", "/posts")) == MANY)


def connections(blog: Blog) -> int:
    """Return how many connections the bus has to query."""
    bus = psutil.Process(blog.processes["event-bus"].pid)
    processes = [bus, *bus.children(recursive=True)]
    open_ones = [one.raddr for process in processes for one in process.net_connections("tcp") if one.raddr]
    return sum(address.port == blog.ports["query"] for address in open_ones)


def lags(blog: Blog) -> dict[str, int]:
    """Return the lag of each subscriber, in events."""
    return {name: one["lag"] for name, one in blog.bus.subscribers().items()}
