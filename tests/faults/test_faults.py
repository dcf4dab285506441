"""Processes stop, are killed, start in any order: nothing is lost or happens twice. Each fault is seen to happen."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from random import Random

import psutil
import pytest
import requests
from event_bus.log.store.sqlite import SqliteStore
from minibus.bus.stamp import stamp
from minibus.core.event import complete

from harness.proxy import PassOn, Proxy, no_fault
from harness.server import Answer, Cut, Request
from harness.waiting import PATIENCE, eventually
from infra.parts import PARTS, SERVICES
from tests.support.system import Blog

Ending = Callable[[Blog, str], None]


def stopped(blog: Blog, name: str) -> None:
    blog.stop(name)


def killed(blog: Blog, name: str) -> None:
    blog.kill(name)


def settled(blog: Blog) -> bool:
    """Whether every comment is judged, and query has heard of it."""
    log = blog.events()
    counts = Counter(event["type"] for event in log)
    judged = counts["CommentCreated"] == counts["CommentModerated"] == counts["CommentUpdated"]
    return judged and blog.get("query", "/state")["at"] == len(log)


def assert_each_event_stands_once(blog: Blog) -> None:
    log = blog.events()
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    assert len({(event["source"], event["id"]) for event in log}) == len(log)
    counts = Counter(event["type"] for event in log)
    assert counts["CommentCreated"] == counts["CommentModerated"] == counts["CommentUpdated"]


@pytest.mark.parametrize("end", [stopped, killed])
def test_query_catches_up_after_it_was_away(blog: Blog, end: Ending) -> None:
    end(blog, "query")
    with pytest.raises(requests.ConnectionError):
        blog.page()
    post = blog.write_post(f"While query was {end.__name__}")
    blog.write_comment(post, "first")
    blog.write_comment(post, "second: ORANGE")

    blog.start("query")

    verdicts = {"first": "approved", "second: ORANGE": "rejected"}
    eventually(lambda: list(blog.page().items())[-1:] == [(f"While query was {end.__name__}", verdicts)])
    assert_each_event_stands_once(blog)


@pytest.mark.parametrize("end", [stopped, killed])
def test_a_comment_written_without_moderation_is_judged_later(blog: Blog, end: Ending) -> None:
    end(blog, "moderation")
    post = blog.write_post(f"While moderation was {end.__name__}")
    blog.write_comment(post, "patient")
    eventually(lambda: blog.page()[f"While moderation was {end.__name__}"] == {"patient": "pending"})

    blog.start("moderation")

    eventually(lambda: blog.page()[f"While moderation was {end.__name__}"] == {"patient": "approved"})
    assert_each_event_stands_once(blog)


@pytest.mark.parametrize("end", [stopped, killed])
def test_comments_knows_the_posts_written_while_it_was_away(blog: Blog, end: Ending) -> None:
    end(blog, "comments")
    post = blog.write_post(f"While comments was {end.__name__}")

    blog.start("comments")

    blog.write_comment(post, "at last")
    eventually(lambda: blog.page()[f"While comments was {end.__name__}"] == {"at last": "approved"})
    assert_each_event_stands_once(blog)


@pytest.mark.parametrize("end", [stopped, killed])
def test_posts_has_its_posts_again_after_it_was_away(blog: Blog, end: Ending) -> None:
    post = blog.write_post(f"Before posts was {end.__name__}")
    before = blog.get("posts", "/posts")
    end(blog, "posts")
    blog.write_comment(post, "meanwhile")

    blog.start("posts")

    eventually(lambda: list(blog.get("posts", "/posts").items()) == list(before.items()))
    blog.write_post(f"After posts was {end.__name__}")
    eventually(lambda: settled(blog))
    assert_each_event_stands_once(blog)


@pytest.fixture(scope="module")
def blog_behind_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Blog, Proxy]]:
    """A blog whose services reach the bus through a gateway."""
    blog = Blog(tmp_path_factory.mktemp("cut"))
    gateway = Proxy(lambda path: blog.url("event-bus"))
    blog.bus_seen_by = dict.fromkeys(("posts", "moderation", "comments"), gateway.url)
    yield blog.start(*SERVICES, "event-bus").ready(), gateway
    blog.close()
    gateway.close()


@pytest.fixture
def cut_line(blog_behind_gateway: tuple[Blog, Proxy]) -> Iterator[tuple[Blog, Proxy]]:
    """The blog behind the gateway, which lets everything pass again afterwards."""
    yield blog_behind_gateway
    blog_behind_gateway[1].fault = no_fault


@pytest.mark.parametrize(("name", "reaction"), [("moderation", "CommentModerated"), ("comments", "CommentUpdated")])
def test_a_reaction_survives_a_kill_between_applying_and_publishing(
    cut_line: tuple[Blog, Proxy], name: str, reaction: str
) -> None:
    blog, gateway = cut_line
    caught = threading.Event()

    def catch(request: Request, pass_on: PassOn) -> Answer:
        if request.method == "POST" and f'"{reaction}"'.encode() in request.body:
            caught.set()
            raise Cut
        return pass_on(request)

    title = f"{name} was killed in between"
    reactions = [event["type"] for event in blog.events()].count(reaction)
    gateway.fault = catch
    post = blog.write_post(title)
    blog.write_comment(post, "hello")
    assert caught.wait(PATIENCE), "the service never tried to publish its reaction"
    blog.kill(name)
    assert [event["type"] for event in blog.events()].count(reaction) == reactions
    assert blog.page()[title] == {"hello": "pending"}

    gateway.fault = no_fault
    blog.start(name)

    eventually(lambda: blog.page()[title] == {"hello": "approved"})
    assert_each_event_stands_once(blog)


@pytest.mark.parametrize(("name", "reaction"), [("moderation", "CommentModerated"), ("comments", "CommentUpdated")])
def test_a_reaction_whose_answer_was_lost_stands_once(cut_line: tuple[Blog, Proxy], name: str, reaction: str) -> None:
    blog, gateway = cut_line
    published: list[str] = []

    def lose_the_answer(request: Request, pass_on: PassOn) -> Answer:
        if request.method == "POST" and f'"{reaction}"'.encode() in request.body and len(published) < 3:
            published.append(json.loads(request.body)["id"])
            assert pass_on(request).status == 200
            raise Cut
        return pass_on(request)

    gateway.fault = lose_the_answer
    post = blog.write_post(f"The answer to {name} was lost")
    blog.write_comment(post, "hello")

    eventually(lambda: blog.page()[f"The answer to {name} was lost"] == {"hello": "approved"})
    assert published
    assert_each_event_stands_once(blog)


@pytest.mark.parametrize("end", [stopped, killed])
def test_with_sqlite_a_bus_that_restarts_has_lost_nothing(blog: Blog, end: Ending) -> None:
    post = blog.write_post(f"Before the bus was {end.__name__}")
    blog.write_comment(post, "kept")
    eventually(lambda: settled(blog))
    log, page = blog.events(), blog.page()

    end(blog, "event-bus")
    blog.start("event-bus")

    assert blog.events() == log
    assert blog.page() == page
    post = blog.write_post(f"After the bus was {end.__name__}")
    blog.write_comment(post, "goes on")
    eventually(lambda: blog.page()[f"After the bus was {end.__name__}"] == {"goes on": "approved"})
    assert_each_event_stands_once(blog)


def test_with_memory_a_bus_that_restarts_is_empty_and_everything_works_on(tmp_path: Path) -> None:
    blog = Blog(tmp_path, EVENT_STORE="memory")
    try:
        blog.start(*SERVICES, "event-bus").ready()
        blog.write_post("Forgotten")
        eventually(lambda: "Forgotten" in blog.page())

        blog.stop("event-bus")
        blog.start("event-bus")

        assert blog.events() == []
        eventually(lambda: all(blog.get(name, "/state")["state"] == {} for name in SERVICES))
        post = blog.write_post("Remembered")
        blog.write_comment(post, "hello")
        eventually(lambda: blog.page() == {"Remembered": {"hello": "approved"}})
    finally:
        blog.close()


def test_while_the_bus_is_down_writing_says_so_and_reading_works(blog: Blog) -> None:
    post = blog.write_post("Bus down")
    blog.write_comment(post, "before")
    eventually(lambda: settled(blog))
    page, log = blog.page(), blog.events()
    blog.stop("event-bus")

    writes = [
        ("posts", "/posts/create", {"title": "Refused"}),
        ("comments", f"/posts/{post}/comments", {"content": "Refused"}),
        ("comments", "/posts/unknown/comments", {"content": "Refused"}),
    ]
    with ThreadPoolExecutor() as people:
        answers = list(people.map(lambda write: blog.send(*write), writes))
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "event bus is away" in answer.json()["errors"][0]["message"]
    assert blog.page() == page
    assert [c["content"] for c in blog.get("comments", f"/posts/{post}/comments")] == ["before"]

    blog.start("event-bus")
    assert blog.events() == log
    blog.write_comment(post, "after")
    eventually(lambda: blog.page()["Bus down"] == {"before": "approved", "after": "approved"})


def test_a_write_whose_answer_is_lost_says_that_it_may_be_stored(cut_line: tuple[Blog, Proxy]) -> None:
    blog, gateway = cut_line

    def lose_the_answer(request: Request, pass_on: PassOn) -> Answer:
        answer = pass_on(request)
        if request.method != "POST":
            return answer
        assert answer.status == 200
        raise Cut

    gateway.fault = lose_the_answer
    answer = blog.send("posts", "/posts/create", {"title": "Perhaps"})

    assert answer.status_code == 503
    assert "may have been stored" in answer.json()["errors"][0]["message"]
    titles = [event["data"].get("title") for event in blog.events()]
    assert titles.count("Perhaps") == 1  # tried several times, with one id


def test_services_started_before_the_bus_wait_and_say_for_whom(new_blog: Blog) -> None:
    new_blog.start(*SERVICES)
    eventually(lambda: all("waiting for the event bus at" in new_blog.log(name) for name in SERVICES))
    for name in SERVICES:
        waiting = requests.get(f"{new_blog.url(name)}/readyz", timeout=PATIENCE)
        assert waiting.status_code == 503
        assert new_blog.url("event-bus") in waiting.json()["errors"][0]["message"]

    new_blog.start("event-bus").ready()

    post = new_blog.write_post("Late bus")
    new_blog.write_comment(post, "hello")
    eventually(lambda: new_blog.page() == {"Late bus": {"hello": "approved"}})


def test_the_parts_find_each_other_in_any_order(new_blog: Blog) -> None:
    order = Random(4005).choice(list(permutations(name for name in PARTS if name != "client")))
    for name in order:
        new_blog.start(name)

    new_blog.ready()
    post = new_blog.write_post("Any order")
    new_blog.write_comment(post, "hello")
    eventually(lambda: new_blog.page() == {"Any order": {"hello": "approved"}})


def test_a_subscriber_is_shown_as_down_when_it_stops_and_live_when_it_is_back(blog: Blog) -> None:
    def state() -> str:
        return blog.get("event-bus", "/subscribers/moderation")["state"]

    eventually(lambda: state() == "live")
    blog.stop("moderation")
    assert state() == "down"
    assert blog.send("event-bus", "/subscribers/moderation/state", None, "GET").status_code == 503
    blog.start("moderation")
    eventually(lambda: state() == "live")


def test_every_part_stops_quickly_with_open_streams(new_blog: Blog) -> None:
    new_blog.start().ready()
    streams = [requests.get(f"{new_blog.url('query')}/posts/stream", stream=True, timeout=PATIENCE) for _ in range(5)]
    assert all(stream.ok for stream in streams)
    family = {
        name: psutil.Process(process.pid).children(recursive=True) for name, process in new_blog.processes.items()
    }
    assert all(family.values())

    for process in new_blog.processes.values():
        process.send_signal(signal.SIGTERM)
    for stream in streams:
        assert stream.content  # each ends, and is whole
    for process in new_blog.processes.values():
        assert process.wait(PATIENCE) == 0
    new_blog.processes.clear()

    assert not [child for children in family.values() for child in children if child.is_running()]
    assert "Traceback" not in "".join(new_blog.log(name) for name in PARTS)


def test_reading_a_long_log_keeps_the_memory_of_the_bus_flat(new_blog: Blog) -> None:
    store = SqliteStore(new_blog.folder / "data" / "events.db")
    event = complete({"type": "Filler", "data": {"text": "x" * 100}}, **stamp())
    for begin in range(0, 200_000, 10_000):
        store.append([{**event, "id": str(number)} for number in range(begin, begin + 10_000)])
    store.close()
    new_blog.start("event-bus")
    [worker] = psutil.Process(new_blog.processes["event-bus"].pid).children()
    before = peak = worker.memory_info().rss

    size = 0
    with requests.get(new_blog.url("event-bus") + "/events", stream=True, timeout=PATIENCE) as answer:
        for chunk in answer.iter_content(1024 * 1024):
            size += len(chunk)
            peak = max(peak, worker.memory_info().rss)

    assert new_blog.get("event-bus", "/events/200000")["seq"] == 200_000
    assert size > 200_000 * 200
    assert peak - before < 30 * 1024 * 1024
