"""A bus without a store loses what a service misses."""

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 2
COURSE = "The course's first bus keeps nothing (EVENT_STORE=none)"
OURS = "A bus that keeps everything (EVENT_STORE=sqlite)"


def play(stage: Stage) -> None:
    """Make query miss two posts: on a bus without a store, then on a bus with one."""
    stage.act(COURSE)
    blog = stage.blog(EVENT_STORE="none")
    miss_two_posts(stage, blog)
    stage.sees("query shows only the newest post, and never gets the others", lambda: [*blog.page()] == TITLES[3:])
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    miss_two_posts(stage, blog)
    stage.sees("query shows all four posts", lambda: [*blog.page()] == TITLES)
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "A bus that only sends cannot repeat an event. A bus with a store replays what a service missed.",
        blog,
        "the dashed arrows from the store replay #1 to #3 to query",
        at=3,
        service="query",
    )


TITLES = ["All services are up", "query is down", "query is still down", "All services are up again"]


def miss_two_posts(stage: Stage, blog: Blog) -> None:
    """Kill query, write two posts, start query, and write one more."""
    stage.start(blog, "event-bus", "posts", "query")
    stage.explain("All services are up. We write a post.")
    blog.write_post(TITLES[0])
    stage.sees("query shows the post", lambda: [*blog.page()] == TITLES[:1])

    stage.explain("query is killed. While it is down we write two posts.")
    stage.kill(blog, "query")
    blog.write_post(TITLES[1])
    blog.write_post(TITLES[2])
    stage.sees("posts has all three posts", lambda: len(blog.get("posts", "/posts")) == 3)

    stage.explain("Now we start query again, and write one more post.")
    stage.start(blog, "query")
    blog.write_post(TITLES[3])
