"""One subscriber hangs: who keeps what it should hear?"""

import uuid

import psutil
from minibus.bus.session import new_session

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 14
COURSE = "The course's bus sends everything at once, and holds on to it"
OURS = "Ours keeps a position for each subscriber"
MANY = 100


def play(stage: Stage) -> None:
    """Freeze query, and publish a lot: on the course's bus, and on ours."""
    stage.act(COURSE)
    blog = stage.blog("event-bus")
    freeze_query_and_publish(stage, blog)
    stage.sees(f"the bus holds {MANY} requests open, and an event in each", lambda: connections(blog) >= MANY)
    stage.tell("And one more with every event, until its memory or its sockets end.")

    stage.act(OURS)
    blog = stage.blog()
    freeze_query_and_publish(stage, blog)
    stage.sees("the bus holds one connection to query", lambda: connections(blog) == 1)
    stage.sees(f"it knows that query is {MANY} behind, and posts is not", lambda: lags(blog) == LAGS)
    stage.tell("query goes on.")
    blog.thaw("query")
    stage.sees(f"query shows all {MANY} posts", lambda: len(blog.get("query", "/posts")) == MANY)
    stage.sees("nobody is behind", lambda: not any(lags(blog).values()))

    stage.end(
        "Who is slow is behind, and that is all. The log carries the load, not the bus's memory.",
        blog,
        "a single arrow brings query many events",
        at=MANY,
        service="query",
    )


LAGS = {"posts": 0, "query": MANY}


def freeze_query_and_publish(stage: Stage, blog: Blog) -> None:
    """Freeze query, and publish many posts."""
    stage.start(blog, "event-bus", "posts", "query")
    stage.tell(f"query hangs: we freeze it. Meanwhile {MANY} posts are published.")
    stage.freeze(blog, "query")
    with new_session() as session:
        for number in range(MANY):
            post = {"id": uuid.uuid4().hex[:8], "title": f"Post {number}"}
            event = {"type": "PostCreated", "data": post}
            session.post(blog.url("event-bus") + "/events", json=event, timeout=15).raise_for_status()
    stage.sees(f"posts has all {MANY}", lambda: len(blog.get("posts", "/posts")) == MANY)


def connections(blog: Blog) -> int:
    """Return how many connections the bus has to query."""
    bus = psutil.Process(blog.processes["event-bus"].pid)
    everybody = [bus, *bus.children(recursive=True)]
    open_ones = [one.raddr for process in everybody for one in process.net_connections("tcp") if one.raddr]
    return sum(address.port == blog.ports["query"] for address in open_ones)


def lags(blog: Blog) -> dict[str, int]:
    """Return how far behind each subscriber is."""
    return {name: one["lag"] for name, one in blog.get("event-bus", "/subscribers").items()}
