"""What a service misses is lost, if nobody keeps it."""

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 2
COURSE = "The course's first bus keeps nothing (EVENT_STORE=none)"
OURS = "A bus that keeps everything (EVENT_STORE=sqlite)"


def play(stage: Stage) -> None:
    """Let query miss two posts: on a bus without a store, and on one with a store."""
    stage.act(COURSE)
    blog = stage.blog(EVENT_STORE="none")
    miss_two_posts(stage, blog)
    stage.sees("query shows this one post, and will never show the others", lambda: [*blog.page()] == ["Nobody away"])
    stage.page(blog)

    stage.act(OURS)
    blog = stage.blog()
    miss_two_posts(stage, blog)
    stage.sees("query shows all four posts", lambda: [*blog.page()] == TITLES)
    stage.page(blog)
    stage.log(blog)

    stage.end(
        "Sent once is not kept. From a store, who was away gets what was missed.",
        blog,
        "the dashed arrows from the store bring query #1 to #3 when it comes back",
        at=3,
        service="query",
    )


TITLES = ["All are here", "Query is away", "Query is still away", "Nobody away"]


def miss_two_posts(stage: Stage, blog: Blog) -> None:
    """Kill query, write two posts, start query, and write one more."""
    stage.start(blog, "event-bus", "posts", "query")
    stage.tell("All services are up. We write a post.")
    blog.write_post(TITLES[0])
    stage.sees("query shows it", lambda: [*blog.page()] == TITLES[:1])

    stage.tell("query is killed. Meanwhile we write two posts.")
    stage.kill(blog, "query")
    blog.write_post(TITLES[1])
    blog.write_post(TITLES[2])
    stage.sees("posts has all three", lambda: len(blog.get("posts", "/posts")) == 3)

    stage.tell("Now we start query again, and write one more post.")
    stage.start(blog, "query")
    blog.write_post(TITLES[3])
