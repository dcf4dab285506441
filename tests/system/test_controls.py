"""An instructor pauses, rewinds and steps query, on real processes, also while faults happen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from harness.waiting import eventually
from tests.support.system import Blog


def subscriber(blog: Blog, name: str = "query") -> dict[str, Any]:
    return blog.get("event-bus", f"/subscribers/{name}")


def pause(blog: Blog, paused: bool = True) -> dict[str, Any]:
    answer = blog.send("event-bus", "/subscribers/query", {"paused": paused}, "PATCH")
    assert answer.ok, answer.text
    return answer.json()


def step(blog: Blog, count: int = 1) -> requests.Response:
    return blog.send("event-bus", "/subscribers/query/step", {"count": count})


def rewind(blog: Blog, to: int = 0) -> requests.Response:
    return blog.send("event-bus", "/subscribers/query/rewind", {"to": to})


@pytest.fixture
def story(blog: Blog) -> Iterator[Blog]:
    """The chapter's story, written and settled; query is resumed afterwards."""
    number = len(blog.page())
    post = blog.write_post(f"Story {number}")
    for content in ("plain", "orange"):
        blog.write_comment(post, content)
    eventually(lambda: set(blog.page()[f"Story {number}"].values()) == {"approved", "rejected"})
    yield blog
    pause(blog, paused=False)
    eventually(lambda: subscriber(blog)["lag"] == 0)


def looked_back(blog: Blog, at: int) -> Any:
    return blog.get("event-bus", f"/subscribers/query/state?at={at}")["state"]


def test_rewound_and_stepped_the_page_shows_each_moment_of_the_story(story: Blog) -> None:
    before, head = story.page(), len(story.events())
    assert pause(story)["state"] == "paused"

    assert rewind(story).json()["position"] == 0
    assert story.page() == {}
    for at in range(1, head + 1):
        assert step(story).json() == {"position": at, "delivered": 1}
        assert story.get("query", "/state")["state"] == looked_back(story, at)
    assert step(story).json() == {"position": head, "delivered": 0}

    assert story.page() == before
    pause(story, paused=False)
    assert len(story.events()) == head


def test_a_paused_query_gets_nothing_and_misses_nothing(story: Blog) -> None:
    place = pause(story)["position"]

    story.write_post("While paused")

    assert subscriber(story)["position"] == place
    assert (subscriber(story)["state"], subscriber(story)["lag"]) == ("paused", 1)
    assert "While paused" not in story.page()
    pause(story, paused=False)
    eventually(lambda: "While paused" in story.page())


def test_several_steps_at_once_are_taken_one_after_the_other(story: Blog) -> None:
    pause(story)
    rewind(story)
    answers: list[dict[str, int]] = []
    people = [threading.Thread(target=lambda: answers.append(step(story).json())) for _ in range(4)]

    for person in people:
        person.start()
    for person in people:
        person.join()

    assert sorted(answer["position"] for answer in answers) == [1, 2, 3, 4]
    assert subscriber(story)["position"] == 4


def test_steps_continue_while_new_posts_keep_coming(story: Blog) -> None:
    pause(story)
    rewind(story, to=2)
    assert story.get("query", "/state") == {"at": 2, "state": looked_back(story, 2), "skipped": []}
    stop = threading.Event()

    def keep_writing() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            event = {"type": "PostCreated", "data": {"id": f"more-{number}", "title": f"More {number}"}}
            story.send("event-bus", "/events", event)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for at in range(3, 8):
            assert step(story).json() == {"position": at, "delivered": 1}
            assert story.get("query", "/state")["state"] == looked_back(story, at)
    finally:
        stop.set()
        writer.join()


def test_a_query_killed_in_the_middle_is_replayed_to_where_it_was_paused(story: Blog) -> None:
    pause(story)
    rewind(story)
    step(story, count=3)

    story.kill("query")
    eventually(lambda: step(story).status_code == 503)
    story.start("query")

    eventually(lambda: story.get("query", "/state")["at"] == subscriber(story)["position"] == 3)
    assert subscriber(story)["state"] == "paused"
    assert step(story).json() == {"position": 4, "delivered": 1}
    assert story.get("query", "/state")["state"] == looked_back(story, 4)


def test_a_pause_ends_with_the_bus_and_nothing_is_stuck(story: Blog) -> None:
    pause(story)
    rewind(story)

    story.kill("event-bus")
    story.start("event-bus")

    eventually(lambda: (subscriber(story)["state"], subscriber(story)["lag"]) == ("live", 0))
    assert story.get("query", "/state")["state"] == looked_back(story, len(story.events()))


def test_what_cannot_be_done_is_refused_with_its_reason(story: Blog) -> None:
    assert step(story).status_code == 409
    assert rewind(story, to=10_000).status_code == 422
    assert rewind(story, to=-1).status_code == 422
    pause(story)
    assert step(story, count=0).status_code == 422
    assert story.send("event-bus", "/subscribers/nobody/step", {}).status_code == 404
    story.stop("query")
    assert step(story).status_code == 503
    assert rewind(story).status_code == 503
    story.start("query").ready()


def test_a_rewound_moderation_repeats_no_reaction(story: Blog) -> None:
    log = story.events()

    answer = story.send("event-bus", "/subscribers/moderation/rewind", {"to": 0})

    assert answer.ok
    eventually(lambda: subscriber(story, "moderation")["lag"] == 0)
    story.write_post("The next event")
    assert story.events()[:-1] == log


def test_a_poison_event_parks_and_the_rest_flows(story: Blog) -> None:
    poison = {"type": "CommentCreated", "data": {"id": "x", "postId": "x", "content": None, "status": "pending"}}
    seq = story.send("event-bus", "/events", poison).json()["seq"]
    post = story.write_post("After the poison")
    story.write_comment(post, "still judged")

    eventually(lambda: story.page()["After the poison"] == {"still judged": "approved"})

    assert {name: subscriber(story, name)["parked"] for name in ("posts", "query", "comments", "moderation")} == {
        "posts": [],
        "query": [seq],
        "comments": [seq],
        "moderation": [seq],
    }
    assert story.get("query", "/state")["skipped"] == [seq]
    assert story.get("event-bus", f"/subscribers/query/state?at={seq}")["skipped"] == [seq]
    # A mended service gets it again after its restart; this one is not mended, and parks it again.
    refusals = story.log("query").count(f"cannot apply event {seq}")
    story.stop("query")
    story.start("query").ready()
    eventually(lambda: subscriber(story)["parked"] == [seq] and subscriber(story)["lag"] == 0)
    assert story.log("query").count(f"cannot apply event {seq}") > refusals
