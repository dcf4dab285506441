"""Services under the names of pods, each its own, as in Kubernetes: several of one service, and new ones for old."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from harness.ports import free_port
from harness.waiting import eventually
from tests.support.gateway import one_origin
from tests.support.system import Blog

FIRST, SECOND = "query-depl-5d9c7b8f6-abcde", "query-depl-5d9c7b8f6-fghij"


class Pods(Blog):
    """A blog whose services can be started again and again, each time as another pod."""

    def add_pod(self, service: str, name: str) -> None:
        """Start one more pod of a service."""
        self.settings = {"SUBSCRIBER_NAME": name, "EPHEMERAL": "60"}
        self.ports[service] = free_port()
        self.start(service)
        self.processes[name] = self.processes.pop(service)
        eventually(lambda: self.get("event-bus", f"/subscribers/{name}")["state"] == "live")


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[Pods]:
    """The blog with two pods of query."""
    pods = Pods(tmp_path)
    try:
        pods.start("event-bus", "posts", "comments", "client")
        pods.add_pod("query", FIRST)
        pods.add_pod("query", SECOND)
        yield pods
    finally:
        pods.close()


def test_every_pod_is_replayed_and_a_short_name_means_the_one_that_is_up(pods: Pods) -> None:
    pods.write_post("For both")
    for pod in (f"/subscribers/{FIRST}", f"/subscribers/{SECOND}"):
        eventually(lambda pod=pod: pods.get("event-bus", pod)["lag"] == 0)  # type: ignore[misc]
        state = pods.get("event-bus", f"{pod}/state")["state"]
        assert [post["title"] for post in state.values()] == ["For both"]

    unclear = pods.send("event-bus", "/subscribers/query", {"paused": True}, "PATCH")
    pods.stop(FIRST)
    clear = pods.send("event-bus", "/subscribers/query", {"paused": True}, "PATCH")

    assert unclear.status_code == 404
    assert f"{FIRST}, {SECOND}" in unclear.json()["errors"][0]["message"]
    assert (clear.status_code, clear.json()["name"], clear.json()["state"]) == (200, SECOND, "paused")


def test_a_goodbye_is_taken_only_under_the_name_itself(pods: Pods) -> None:
    pods.stop(FIRST)

    goodbye = {"url": pods.url("query"), "stopping": True}

    assert pods.send("event-bus", "/subscribers/query", goodbye, "PUT").status_code == 404
    assert pods.get("event-bus", f"/subscribers/{SECOND}")["state"] == "live"


def test_the_console_draws_every_pod_and_looks_at_one_that_is_up(pods: Pods, browser: Browser) -> None:
    pods.write_post("Looked at")
    pods.add_pod("moderation", "moderation-depl-66f4c9bd7-klmno")
    page = browser.new_page(viewport={"width": 1280, "height": 800})

    page.goto(pods.url("event-bus"))

    expect(page.locator(".head b")).to_have_text(
        ["posts", "comments", "query-abcde", "bus", "query-fghij", "moderation"]
    )
    expect(page.locator("#service")).to_have_value(FIRST)
    expect(page.locator("#state")).to_contain_text("Looked at")
    page.close()


def test_a_service_is_away_only_when_all_its_pods_are(pods: Pods, browser: Browser) -> None:
    page = browser.new_page()
    site = one_origin(pods)
    page.goto(site.url)
    banner = page.locator("#banner")
    pods.add_pod("moderation", "moderation-depl-66f4c-first")
    pods.add_pod("moderation", "moderation-depl-66f4c-second")

    pods.stop("moderation-depl-66f4c-first")
    pods.stop("moderation-depl-66f4c-second")
    expect(banner).to_contain_text("Moderation is away")
    pods.add_pod("moderation", "moderation-depl-66f4c-third")

    expect(banner).to_be_empty()
    assert pods.get("event-bus", "/subscribers/moderation-depl-66f4c-first")["state"] == "down"
    page.close()
    site.close()
