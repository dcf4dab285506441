"""Services of the course's shape (Express, bench/peers) beside ours: on our bus, and ours on theirs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.gateway import Gateway
from tests.system import ROOT, SERVICES, Blog, eventually, free_port

PEERS = ROOT / "bench" / "peers"
OURS = (*SERVICES, "event-bus")  # the page has no part in this
STORY = {"fine": "approved", "an orange": "rejected"}
ONE_STORY = {"PostCreated": 1, "CommentCreated": 2, "CommentModerated": 2, "CommentUpdated": 2}


@pytest.fixture(scope="module", autouse=True)
def _express() -> None:
    """Install what the peers need, once."""
    if not (shutil.which("node") and shutil.which("npm")):
        reason = "the course's services run on Express, which needs node and npm"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    if not (PEERS / "node_modules" / ".package-lock.json").exists():  # npm writes it last
        subprocess.run(["npm", "ci", "--omit=dev"], cwd=PEERS, check=True, timeout=100)


class MixedBlog(Blog):
    """A blog without the page, in which the parts named in `express` are the course's."""

    def __init__(self, folder: Path, *express: str, **settings: str) -> None:
        super().__init__(folder, None, **settings)
        self.express = set(express)
        if "event-bus" in express:
            self.settings["SUBSCRIBERS"] = ",".join(self.url(name) for name in SERVICES)
            # Or a verdict may overtake its comment, which nobody mends on a bus that does not count.
            self.settings["SOCKETS"] = "1"

    def start_with_listed(self, *names: str) -> MixedBlog:
        """Start everything; our bus sends to these in the course's way, until they register."""
        self.settings["SUBSCRIBERS"] = ",".join(f"{name}={self.url(name)}" for name in names)
        self.start(*OURS)
        return self

    def command(self, name: str) -> list[str]:
        """Return what starts this part."""
        return ["node", str(PEERS / f"{name}.js")] if name in self.express else super().command(name)

    def answers(self, name: str, path: str) -> bool:
        """Say whether this path of a part answers well; the course's have no probes, so any answer will do."""
        if name not in self.express:
            return super().answers(name, path)
        return requests.get(self.url(name) + path, timeout=2).status_code > 0

    def start_express(self, name: str) -> None:
        """Start the course's kind of this part at its address."""
        self.express.add(name)
        self.start(name)

    def start_ours(self, name: str) -> None:
        """Start our kind of this part at its address."""
        self.express.remove(name)
        self.start(name)

    def restart(self, *names: str) -> None:
        """Stop these parts and start them again, all at once; wait until each has caught up."""
        for name in names:
            self.stop(name)
        self.start(*names).ready()

    def mode(self, name: str) -> str:
        """Return how the bus sends to this subscriber."""
        return self.get("event-bus", f"/subscribers/{name}")["mode"]

    def tell_the_story(self, title: str) -> str:
        """Write a post with two comments; return its id."""
        post = self.write_post(title)
        if self.settings.get("EVENT_STORE") == "none":
            # Such a bus cannot be asked, so comments knows no post that has not come to it yet.
            eventually(lambda: post in self.get("comments", "/state")["state"])
        for comment in STORY:
            self.write_comment(post, comment)
        return post

    def titles(self) -> list[str]:
        """Return the titles that query shows, sorted."""
        return sorted(post["title"] for post in self.get("query", "/posts").values())

    def shows(self, title: str) -> bool:
        """Say whether query shows the story under this title: both comments, once each, judged."""
        [post] = [post for post in self.get("query", "/posts").values() if post["title"] == title] or [{"comments": []}]
        return [(comment["content"], comment["status"]) for comment in post["comments"]] == [*STORY.items()]

    def has_judged(self, post: str) -> bool:
        """Say whether no comment on this post is pending in the books of comments."""
        comments = self.get("comments", f"/posts/{post}/comments")
        return [comment["status"] for comment in comments] == [*STORY.values()]

    def last_verdict(self, post: str) -> str:
        """Return the status of the newest comment on this post."""
        return self.get("comments", f"/posts/{post}/comments")[-1]["status"]

    def counts(self) -> Counter[str]:
        """Count the events in the log by their type."""
        return Counter(event["type"] for event in self.events() if "type" in event)


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

    mixed.tell_the_story("On our bus")

    eventually(lambda: mixed.shows("On our bus"))
    assert mixed.mode(name) == "listed"
    assert mixed.counts() == ONE_STORY


# The batch that tells our bus who lives there now finds an empty body in Express 4, and none at all in 5.
@pytest.mark.parametrize("express", ["express", "express5"])
def test_an_express_query_takes_over_from_ours_and_ours_comes_back(mixed: MixedBlog, express: str) -> None:
    mixed.settings["EXPRESS"] = express
    mixed.start(*OURS).ready()
    mixed.tell_the_story("Before")
    eventually(lambda: mixed.shows("Before"))

    mixed.stop("query")
    mixed.start_express("query")

    eventually(lambda: mixed.shows("Before"))  # read from GET /events, as in the course
    mixed.tell_the_story("Meanwhile")
    eventually(lambda: mixed.shows("Meanwhile"))
    assert mixed.mode("query") == "listed"

    mixed.stop("query")
    mixed.tell_the_story("Missed")
    mixed.start_ours("query")

    eventually(lambda: all(mixed.shows(title) for title in ("Before", "Meanwhile", "Missed")))
    assert mixed.mode("query") == "registered"
    assert mixed.titles() == ["Before", "Meanwhile", "Missed"]
    head = len(mixed.events())
    truth = mixed.get("event-bus", f"/subscribers/query/state?at={head}")["state"]
    assert mixed.get("query", "/state")["state"] == truth


def test_what_ours_did_not_acknowledge_goes_to_the_express_query_at_its_address(mixed: MixedBlog) -> None:
    mixed.start(*OURS).ready()
    mixed.tell_the_story("Acknowledged")
    eventually(lambda: mixed.shows("Acknowledged"))
    mixed.stop("query")
    post = mixed.tell_the_story("Not acknowledged")
    eventually(lambda: mixed.has_judged(post))

    mixed.bus_seen_by["query"] = f"http://127.0.0.1:{free_port()}"  # so it has nothing but what it is sent
    mixed.start_express("query")

    eventually(lambda: mixed.shows("Not acknowledged"))
    assert mixed.titles() == ["Not acknowledged"]
    assert mixed.mode("query") == "listed"


def test_an_express_moderation_takes_over_from_ours_and_ours_comes_back(mixed: MixedBlog) -> None:
    mixed.start(*OURS).ready()
    mixed.stop("moderation")
    first = mixed.tell_the_story("Not judged yet")

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
    mixed.tell_the_story("Ours again")
    eventually(lambda: mixed.shows("Ours again"))
    counts = mixed.counts()
    mixed.restart("moderation")
    mixed.tell_the_story("And again")
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
    on_express.tell_the_story("On their bus")

    eventually(lambda: on_express.shows("On their bus"))
    assert on_express.counts() == ONE_STORY


def test_our_query_catches_up_from_the_express_bus(on_express: MixedBlog) -> None:
    on_express.tell_the_story("Before query was away")
    on_express.stop("query")
    post = on_express.tell_the_story("While query was away")
    eventually(lambda: on_express.has_judged(post))

    on_express.start("query")

    eventually(lambda: on_express.shows("Before query was away") and on_express.shows("While query was away"))
    assert on_express.answers("query", "/readyz")


def test_comments_written_without_moderation_are_judged_later_on_the_express_bus(on_express: MixedBlog) -> None:
    before = on_express.counts()
    on_express.stop("moderation")
    on_express.tell_the_story("Patient")
    assert on_express.counts() - before == {"PostCreated": 1, "CommentCreated": 2}

    on_express.start("moderation")

    eventually(lambda: on_express.shows("Patient"))
    assert on_express.counts() - before == ONE_STORY


def test_a_restart_of_any_service_repeats_no_reaction_on_the_express_bus(on_express: MixedBlog) -> None:
    on_express.tell_the_story("Before the restarts")
    eventually(lambda: on_express.shows("Before the restarts"))

    counts = on_express.counts()

    on_express.restart(*SERVICES)

    # Reactions are published oldest first, so those of the second story come after any that were repeated.
    on_express.tell_the_story("After the restarts")
    eventually(lambda: on_express.shows("Before the restarts") and on_express.shows("After the restarts"))
    assert on_express.counts() - counts == ONE_STORY


def test_an_event_that_cannot_be_applied_holds_up_nobody_on_the_express_bus(on_express: MixedBlog) -> None:
    for bad in ({"type": "CommentCreated", "data": {"id": "no content"}}, {"data": "no type"}, ["no object"]):
        assert on_express.send("event-bus", "/events", bad).ok
    post = on_express.tell_the_story("After what is bad")
    eventually(lambda: on_express.shows("After what is bad"))

    on_express.restart(*SERVICES)

    eventually(lambda: on_express.shows("After what is bad") and on_express.has_judged(post))
    on_express.tell_the_story("And later")
    eventually(lambda: on_express.shows("And later"))
    assert on_express.send("comments", "/posts/unknown/comments", {"content": "lost"}).status_code == 404


def test_our_query_is_ready_only_when_it_has_read_the_log_of_the_express_bus(on_express: MixedBlog) -> None:
    on_express.tell_the_story("Long ago")
    asked, go_on = threading.Event(), threading.Event()

    def hold(method: str, path: str, body: bytes) -> None:
        if (method, path) == ("GET", "/events"):
            asked.set()
            assert go_on.wait(10)

    gateway = Gateway(lambda path: on_express.url("event-bus"), hold)
    on_express.bus_seen_by["query"] = gateway.url
    try:
        on_express.stop("query")
        on_express.start("query")
        assert asked.wait(10)

        assert requests.get(f"{on_express.url('query')}/readyz", timeout=2).status_code == 503
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
        assert requests.get(f"{blog.url('event-bus')}/events", timeout=2).status_code == 404

        blog.tell_the_story("On the course's first bus")

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
    forgetful.tell_the_story("Once only")

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
    post = forgetful.tell_the_story("Missed")
    eventually(lambda: forgetful.has_judged(post))

    forgetful.start("query")

    forgetful.ready().write_post("Heard")
    eventually(lambda: forgetful.titles() == ["Heard"])


def test_without_a_store_events_go_out_once_and_do_not_count(tmp_path: Path) -> None:
    heard: list[bytes] = []
    blog = MixedBlog(tmp_path, EVENT_STORE="none")
    gateway = Gateway(lambda path: blog.url("query"), lambda method, path, body: heard.append(body))
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
