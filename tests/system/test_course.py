"""Services of the course's shape (Express, bench/peers) beside ours: on our bus, and ours on theirs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness.ports import free_port
from harness.proxy import PassOn, Proxy
from harness.server import Answer, Request
from harness.waiting import PATIENCE, eventually
from infra.parts import SERVICES
from tests.support.mixed import ONE_STORY, OURS, MixedBlog, install_express


@pytest.fixture(scope="module", autouse=True)
def _express() -> None:
    """Install what the peers need, once."""
    install_express()


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[MixedBlog]:
    """A blog on our bus, not started yet."""
    blog = MixedBlog(tmp_path)
    yield blog
    blog.close()


# -- the course's services on our bus --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["query", "moderation"])
def test_an_express_service_that_is_listed_plays_its_part(mixed: MixedBlog, name: str) -> None:
    mixed.express = {name}
    mixed.start_with_listed(name)

    mixed.write_the_story("On our bus")

    eventually(lambda: mixed.shows("On our bus"))
    assert mixed.mode(name) == "listed"
    assert mixed.counts() == ONE_STORY


# The batch that tells our bus who lives there now finds an empty body in Express 4, and none at all in 5.
@pytest.mark.parametrize("express", ["express", "express5"])
def test_an_express_query_takes_over_from_ours_and_ours_comes_back(mixed: MixedBlog, express: str) -> None:
    mixed.settings["EXPRESS"] = express
    mixed.start(*OURS).ready()
    mixed.write_the_story("Before")
    eventually(lambda: mixed.shows("Before"))

    mixed.stop("query")
    mixed.start_express("query")

    eventually(lambda: mixed.shows("Before"))  # read from GET /events, as in the course
    mixed.write_the_story("Meanwhile")
    eventually(lambda: mixed.shows("Meanwhile"))
    assert mixed.mode("query") == "listed"

    mixed.stop("query")
    mixed.write_the_story("Missed")
    mixed.start_ours("query")

    eventually(lambda: all(mixed.shows(title) for title in ("Before", "Meanwhile", "Missed")))
    assert mixed.mode("query") == "registered"
    assert mixed.titles() == ["Before", "Meanwhile", "Missed"]
    head = len(mixed.events())
    truth = mixed.get("event-bus", f"/subscribers/query/state?at={head}")["state"]
    assert mixed.get("query", "/state")["state"] == truth


def test_what_ours_did_not_acknowledge_goes_to_the_express_query_at_its_address(mixed: MixedBlog) -> None:
    mixed.start(*OURS).ready()
    mixed.write_the_story("Acknowledged")
    eventually(lambda: mixed.shows("Acknowledged"))
    mixed.stop("query")
    post = mixed.write_the_story("Not acknowledged")
    eventually(lambda: mixed.has_judged(post))

    mixed.bus_seen_by["query"] = f"http://127.0.0.1:{free_port()}"  # so it has nothing but what it is sent
    mixed.start_express("query")

    eventually(lambda: mixed.shows("Not acknowledged"))
    assert mixed.titles() == ["Not acknowledged"]
    assert mixed.mode("query") == "listed"


def test_an_express_moderation_takes_over_from_ours_and_ours_comes_back(mixed: MixedBlog) -> None:
    mixed.start(*OURS).ready()
    mixed.stop("moderation")
    first = mixed.write_the_story("Not judged yet")

    mixed.start_express("moderation")

    eventually(lambda: mixed.shows("Not judged yet"))
    assert mixed.mode("moderation") == "listed"
    mixed.write_comment(first, "Orange")
    eventually(lambda: mixed.last_verdict(first) == "approved")  # it slips through
    assert mixed.counts()["CommentModerated"] == 3

    mixed.stop("moderation")
    mixed.start_ours("moderation")

    # Ours answers for every comment, also for those that the other one judged, and comments takes over what is new.
    eventually(lambda: mixed.last_verdict(first) == "rejected")
    assert mixed.mode("moderation") == "registered"
    mixed.write_the_story("Ours again")
    eventually(lambda: mixed.shows("Ours again"))
    counts = mixed.counts()
    mixed.restart("moderation")
    mixed.write_the_story("And again")
    eventually(lambda: mixed.shows("And again"))
    assert mixed.counts() - counts == ONE_STORY


# -- our services on the course's bus --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def on_express(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MixedBlog]:
    """Our services on the Express bus."""
    blog = MixedBlog(tmp_path_factory.mktemp("express"), "event-bus")
    try:
        blog.start(*OURS)
        blog.ready()
        yield blog
    finally:
        blog.close()


def test_our_services_tell_the_story_on_the_express_bus(on_express: MixedBlog) -> None:
    on_express.write_the_story("On their bus")

    eventually(lambda: on_express.shows("On their bus"))
    assert on_express.counts() == ONE_STORY


def test_our_query_catches_up_from_the_express_bus(on_express: MixedBlog) -> None:
    on_express.write_the_story("Before query was away")
    on_express.stop("query")
    post = on_express.write_the_story("While query was away")
    eventually(lambda: on_express.has_judged(post))

    on_express.start("query")

    eventually(lambda: on_express.shows("Before query was away") and on_express.shows("While query was away"))
    assert on_express.answers("query", "/readyz")


def test_comments_written_without_moderation_are_judged_later_on_the_express_bus(on_express: MixedBlog) -> None:
    before = on_express.counts()
    on_express.stop("moderation")
    on_express.write_the_story("Patient")
    assert on_express.counts() - before == {"PostCreated": 1, "CommentCreated": 2}

    on_express.start("moderation")

    eventually(lambda: on_express.shows("Patient"))
    assert on_express.counts() - before == ONE_STORY


def test_a_restart_of_any_service_repeats_no_reaction_on_the_express_bus(on_express: MixedBlog) -> None:
    on_express.write_the_story("Before the restarts")
    eventually(lambda: on_express.shows("Before the restarts"))

    counts = on_express.counts()

    on_express.restart(*SERVICES)

    # Reactions are published oldest first, so those of the second story come after any that were repeated.
    on_express.write_the_story("After the restarts")
    eventually(lambda: on_express.shows("Before the restarts") and on_express.shows("After the restarts"))
    assert on_express.counts() - counts == ONE_STORY


def test_an_event_that_cannot_be_applied_delays_no_other_on_the_express_bus(on_express: MixedBlog) -> None:
    for bad in ({"type": "CommentCreated", "data": {"id": "no content"}}, {"data": "no type"}, ["no object"]):
        assert on_express.send("event-bus", "/events", bad).ok
    post = on_express.write_the_story("After what is bad")
    eventually(lambda: on_express.shows("After what is bad"))

    on_express.restart(*SERVICES)

    eventually(lambda: on_express.shows("After what is bad") and on_express.has_judged(post))
    on_express.write_the_story("And later")
    eventually(lambda: on_express.shows("And later"))
    assert on_express.send("comments", "/posts/unknown/comments", {"content": "lost"}).status_code == 404


def test_our_query_is_ready_only_when_it_has_read_the_log_of_the_express_bus(on_express: MixedBlog) -> None:
    on_express.write_the_story("Long ago")
    asked, go_on = threading.Event(), threading.Event()

    def delay(request: Request, pass_on: PassOn) -> Answer:
        if (request.method, request.path) == ("GET", "/events"):
            asked.set()
            assert go_on.wait(PATIENCE)
        return pass_on(request)

    gateway = Proxy(lambda path: on_express.url("event-bus"), delay)
    on_express.bus_seen_by["query"] = gateway.url
    try:
        on_express.stop("query")
        on_express.start("query")
        assert asked.wait(PATIENCE)

        assert requests.get(f"{on_express.url('query')}/readyz", timeout=PATIENCE).status_code == 503
        go_on.set()
        on_express.ready()
        assert on_express.shows("Long ago")
    finally:
        go_on.set()
        gateway.close()
        del on_express.bus_seen_by["query"]
        on_express.restart("query")


def test_our_services_tell_the_story_on_a_bus_that_keeps_nothing(tmp_path: Path) -> None:
    blog = MixedBlog(tmp_path, "event-bus", EVENT_STORE="none")
    try:
        blog.start(*OURS).ready()
        assert requests.get(f"{blog.url('event-bus')}/events", timeout=PATIENCE).status_code == 404

        blog.write_the_story("On the course's first bus")

        eventually(lambda: blog.shows("On the course's first bus"))
        assert blog.send("comments", "/posts/unknown/comments", {"content": "lost"}).status_code == 404
    finally:
        blog.close()


# -- our bus as the course's first one, which keeps nothing ----------------------------------------------------------


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MixedBlog]:
    """Our services, listed at our bus with `EVENT_STORE=none`."""
    blog = MixedBlog(tmp_path_factory.mktemp("none"), EVENT_STORE="none")
    try:
        blog.start_with_listed(*SERVICES).ready()
        yield blog
    finally:
        blog.close()


def test_without_a_store_the_story_passes_and_nothing_is_kept(forgetful: MixedBlog) -> None:
    forgetful.write_the_story("Once only")

    eventually(lambda: forgetful.shows("Once only"))
    assert forgetful.events() == []
    answer = forgetful.send("event-bus", "/subscribers/x", {"url": forgetful.url("query")}, "PUT")
    assert answer.status_code == 404
    for method, path, body in (
        ("PATCH", "/subscribers/query", {"paused": True}),
        ("POST", "/subscribers/query/step", {"count": 1}),
        ("POST", "/subscribers/query/rewind", {"to": 0}),
    ):
        assert forgetful.send("event-bus", path, body, method).status_code == 409


def test_without_a_store_a_service_that_was_away_has_missed_what_happened(forgetful: MixedBlog) -> None:
    forgetful.stop("query")
    post = forgetful.write_the_story("Missed")
    eventually(lambda: forgetful.has_judged(post))

    forgetful.start("query")

    forgetful.ready().write_post("Heard")
    eventually(lambda: forgetful.titles() == ["Heard"])


def test_without_a_store_events_go_out_once_and_do_not_count(tmp_path: Path) -> None:
    heard: list[bytes] = []
    blog = MixedBlog(tmp_path, EVENT_STORE="none")

    def note(request: Request, pass_on: PassOn) -> Answer:
        heard.append(request.body)
        return pass_on(request)

    gateway = Proxy(lambda path: blog.url("query"), note)
    blog.settings["SUBSCRIBERS"] = f"listener={gateway.url},query={blog.url('query')}"
    try:
        blog.start("event-bus", "query")

        for number in range(3):
            assert blog.send("event-bus", "/events", {"type": "Counted", "data": number}).ok

        eventually(lambda: len(heard) == 3)
        events = [json.loads(body) for body in heard]
        assert [event["data"] for event in events] == [0, 1, 2]
        assert not any("seq" in event for event in events)
    finally:
        blog.close()
        gateway.close()
