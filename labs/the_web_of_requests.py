"""A slow service slows all, a dead service stops all."""

import sys

from minibus.bus.session import request

from harness.blog import Blog
from labs.stage import Stage

CHAPTER = 1
COURSE = "The page asks other services while a reader waits"
OURS = "query has the data before a reader asks"


def play(stage: Stage) -> None:
    """Freeze and kill a service: in a blog of requests, then in a blog of events."""
    stage.act(COURSE)
    web = stage.blog()
    for name in ("posts", "comments", "page"):
        web.add(name, sys.executable, "-m", "labs.services.web")
    web.settings |= {"POSTS": web.url("posts") + "/posts", "COMMENTS": web.url("comments") + "/comments"}
    stage.start(web, "posts", "comments", "page")
    stage.explain("Three services: page asks posts, then comments, and shows both. All three are up.")
    stage.sees("the page answers", lambda: status(web) == 200)

    stage.explain("comments hangs: we freeze it. Then a reader opens the page.")
    stage.freeze(web, "comments")
    reader = stage.later(lambda: status(web))
    stage.still("the reader waits", lambda: not reader.done())
    web.thaw("comments")
    stage.sees("comments continues, and only now the page answers", reader.done)

    stage.explain("comments is killed. posts and page are still up.")
    stage.kill(web, "comments")
    stage.sees("every reader of the page gets an error", lambda: status(web) == 500)

    stage.act(OURS)
    blog = stage.blog()
    stage.start(blog)
    stage.explain("Our query applies each event when it happens, and asks no other service when a reader comes.")
    post = blog.write_post("A blog of events")
    blog.write_comment(post, "It still looks simple")
    page = {"A blog of events": {"It still looks simple": "approved"}}
    stage.sees("the page answers", lambda: blog.page() == page)
    stage.page(blog)

    stage.explain("comments hangs. A reader opens the page.")
    stage.freeze(blog, "comments")
    stage.sees("the page answers, with its comments", lambda: blog.page() == page)

    stage.explain("comments is killed. A reader opens the page, and writes a post.")
    stage.kill(blog, "comments")
    stage.sees("the page answers, with its comments", lambda: blog.page() == page)
    blog.write_post("Written without comments")
    stage.sees("the page shows the new post", lambda: [*blog.page()] == [*page, "Written without comments"])
    stage.log(blog)

    stage.end(
        "A page that asks others is as slow and as dead as the worst of them. A service with its own data needs none.",
        blog,
        "the lifeline of comments is red, and posts and query continue",
        at=5,
        service="query",
    )


def status(web: Blog) -> int:
    """Open the page; return the status of its answer."""
    return request("GET", web.url("page") + "/page", timeout=60).status_code
