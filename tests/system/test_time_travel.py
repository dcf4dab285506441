"""Looking back on real processes: at any moment, by several at once, while everything goes on."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import requests

from harness.waiting import PATIENCE, eventually
from tests.support.system import Blog


def look(blog: Blog, at: int, skip: str = "") -> Any:
    return blog.get("event-bus", f"/subscribers/query/state?at={at}&skip={skip}")


def test_several_look_back_at_once_while_the_blog_works(blog: Blog) -> None:
    post = blog.write_post("Looked at by four")
    for content in ("fine", "an orange"):
        blog.write_comment(post, content)
    eventually(lambda: set(blog.page()["Looked at by four"].values()) == {"approved", "rejected"})
    past = {at: look(blog, at)["state"] for at in range(len(blog.events()) + 1)}
    done = threading.Event()
    looks: Counter[bool] = Counter()

    def keep_looking(first: int) -> None:
        at = first
        while not done.is_set():
            at = (at + 3) % len(past)
            looks[look(blog, at)["state"] == past[at]] += 1
            looks[post not in look(blog, len(past) - 1, skip="1*")["state"]] += 1

    lookers = [threading.Thread(target=keep_looking, args=(first,)) for first in range(4)]
    for looker in lookers:
        looker.start()
    for number in range(20):
        blog.write_comment(post, f"meanwhile {number}")
    done.set()
    for looker in lookers:
        looker.join()

    assert looks[False] == 0
    assert looks[True] > 20
    eventually(lambda: "pending" not in blog.page()["Looked at by four"].values())
    log = blog.events()
    eventually(lambda: blog.get("query", "/state")["at"] == len(log))
    assert blog.get("query", "/state")["state"] == look(blog, len(log))["state"]
    assert Counter(event["type"] for event in log) == {
        "PostCreated": 1, "CommentCreated": 22, "CommentModerated": 22, "CommentUpdated": 22
    }  # fmt: skip


def test_the_bus_alone_shows_the_way_of_an_event_through_the_handlers(blog: Blog) -> None:
    post = blog.write_post("Told")
    comment = blog.write_comment(post, "by path")
    eventually(lambda: blog.page()["Told"] == {"by path": "approved"})
    updated = next(event for event in reversed(blog.events()) if event["type"] == "CommentUpdated")

    [change] = blog.get("event-bus", f"/subscribers/query/changes?to={updated['seq']}")["changes"]
    handler = blog.get("event-bus", "/subscribers/query/handlers")[updated["type"]]
    chain = blog.get("event-bus", f"/events?correlationid={updated['correlationid']}")

    assert change["path"] == [post, "comments", comment, "status"]
    assert (change["before"], change["after"]) == ("pending", "approved")
    assert (handler["name"], handler["file"]) == ("update_comment", "query.py")
    assert [event["type"] for event in chain] == ["CommentCreated", "CommentModerated", "CommentUpdated"]


def test_one_request_to_the_bus_answers_everything_about_a_moment(blog: Blog) -> None:
    post = blog.write_post("In one answer")
    blog.write_comment(post, "hello")
    eventually(lambda: blog.page()["In one answer"] == {"hello": "approved"})
    created = next(event for event in reversed(blog.events()) if event["type"] == "CommentCreated")
    seq = created["seq"]

    moment = blog.get("event-bus", f"/subscribers/query/moment?at={seq}&last=1")

    same_chain = [event for event in blog.events() if event["correlationid"] == created["correlationid"]]
    assert moment.pop("chain") == same_chain, "the bus adds the event's chain"
    # How many events the service had to fold depends on what it keeps from the question before.
    assert moment | {"folded": 0} == blog.get("query", f"/moment?at={seq}&last=1") | {"folded": 0}
    assert (moment["event"], moment["handler"]["name"]) == (created, "add_comment")
    assert moment["changes"] == blog.get("event-bus", f"/subscribers/query/changes?to={seq}")["changes"]
    whole = blog.get("event-bus", f"/subscribers/query/state?at={seq}")["state"]
    assert moment["state"][post] == whole[post]
    assert moment["entities"] == len(whole)


def test_a_service_that_is_down_says_that_it_has_to_be_started_to_look(new_blog: Blog) -> None:
    new_blog.start("event-bus", "query")
    eventually(lambda: new_blog.get("event-bus", "/subscribers")["query"]["state"] == "live")
    new_blog.stop("query")

    for path in ("state?at=0", "changes?to=0", "moment?at=0", "handlers"):
        answer = requests.get(f"{new_blog.url('event-bus')}/subscribers/query/{path}", timeout=PATIENCE)

        assert answer.status_code == 503
        assert answer.json()["errors"][0]["message"] == "query is down. Start it to look back."
