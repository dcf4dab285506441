"""One slow service slows all, one dead one kills all."""

import sys

from minibus.bus.session import request

from labs.stage import Stage
from labs.system import Blog

CHAPTER = 1
COURSE = "Asking others while a reader waits"
OURS = "Knowing already what a reader will ask"


def play(stage: Stage) -> None:
    """Freeze and kill a service: in a web of requests, and in one of events."""
    stage.act(COURSE)
    web = stage.blog()
    for name in ("posts", "comments", "page"):
        web.add(name, sys.executable, "-m", "labs.services.web")
    web.settings |= {"POSTS": web.url("posts") + "/posts", "COMMENTS": web.url("comments") + "/comments"}
    stage.start(web, "posts", "comments", "page")
    stage.tell("Three services: page asks posts, then comments, and shows both. All is well.")
    stage.sees("the page comes", lambda: status(web) == 200)

    stage.tell("comments hangs: we freeze it. Then a reader opens the page.")
    stage.freeze(web, "comments")
    reader = stage.later(lambda: status(web))
    stage.still("the reader waits, and waits", lambda: not reader.done())
    web.thaw("comments")
    stage.sees("comments goes on, and only now the page comes", reader.done)

    stage.tell("comments dies. posts is well, and so is page.")
    stage.kill(web, "comments")
    stage.sees("the page is an error, for every reader", lambda: status(web) == 500)

    stage.act(OURS)
    blog = stage.blog()
    stage.start(blog)
    stage.tell("Our query hears of everything when it happens, and asks nobody when a reader comes.")
    post = blog.write_post("A blog of events")
    blog.write_comment(post, "It still looks simple")
    page = {"A blog of events": {"It still looks simple": "approved"}}
    stage.sees("the page comes", lambda: blog.page() == page)
    stage.page(blog)

    stage.tell("comments hangs. A reader opens the page.")
    stage.freeze(blog, "comments")
    stage.sees("the page comes, with its comments", lambda: blog.page() == page)

    stage.tell("comments dies. A reader opens the page, and writes a post.")
    stage.kill(blog, "comments")
    stage.sees("the page comes, with its comments", lambda: blog.page() == page)
    blog.write_post("Written without comments")
    stage.sees("the new post is on it", lambda: [*blog.page()] == [*page, "Written without comments"])
    stage.log(blog)

    stage.end(
        "Who asks others is as slow, and as dead, as any of them. Who was told before needs nobody.",
        blog,
        "the lifeline of comments is red, and posts and query go on",
        at=5,
        service="query",
    )


def status(web: Blog) -> int:
    """Open the page; return the status of the answer."""
    return request("GET", web.url("page") + "/page", timeout=60).status_code
