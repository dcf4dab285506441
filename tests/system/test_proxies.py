"""A machine with a proxy and a netrc: calls between our own processes use neither."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from minibus.bus.session import request

from harness.server import Answer, Cut, Request, Server
from harness.waiting import PATIENCE, eventually
from infra.parts import ROOT, SERVICES
from tests.support.system import Blog

MINIBUS = str(Path(sys.executable).with_name("minibus"))
TOKEN = {"Authorization": "Bearer s3cret"}


class Proxy(Server):
    """A proxy that cannot reach our processes. It notes each request."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(self.refuse)
        self.open()

    def refuse(self, request: Request) -> Answer:
        """Note the request, and break it off."""
        self.asked.append(f"{request.method} {request.path}")
        raise Cut


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def settings(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a school's machine may have in its environment."""
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("default login pupil password pupil\n")
    netrc.chmod(0o600)
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    proxies = {spelled: proxy.url for name in names for spelled in (name, name.lower())}
    return {**proxies, "NO_PROXY": "", "no_proxy": "", "NETRC": str(netrc), "BUS_TOKEN": "s3cret"}


@pytest.fixture(scope="module")
def school(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    blog = Blog(tmp_path_factory.mktemp("school"))
    blog.settings = settings
    try:
        yield blog.start().ready()
    finally:
        blog.close()


def run(settings: dict[str, str], *command: str, **more: str) -> str:
    """Return what a command prints in this environment, with its errors."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env={**os.environ, **settings, **more}, timeout=60, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.stdout


def test_a_plain_request_would_go_to_the_proxy(proxy: Proxy, settings: dict[str, str], school: Blog) -> None:
    url = f"{school.url('posts')}/healthz"

    run(settings, "-c", f"import requests; requests.get({url!r}, timeout=5)")

    assert proxy.asked.pop() == f"GET {url}"


def test_services_and_bus_call_each_other_directly(proxy: Proxy, school: Blog) -> None:
    post = school.write_post("Without a proxy")
    school.write_comment(post, "hello")

    eventually(lambda: school.page() == {"Without a proxy": {"hello": "approved"}})
    assert proxy.asked == []


def test_the_bus_looks_back_and_rewinds_directly(proxy: Proxy, school: Blog) -> None:
    query = f"{school.url('event-bus')}/subscribers/query"

    assert request("GET", f"{query}/state?at=0", headers=TOKEN, timeout=PATIENCE).json()["state"] == {}
    assert request("POST", f"{query}/rewind", json={"to": 0}, headers=TOKEN, timeout=PATIENCE).ok
    assert proxy.asked == []


def test_the_page_asks_query_directly(proxy: Proxy, school: Blog) -> None:
    school.write_post("On the page")

    eventually(lambda: "On the page" in request("GET", school.url("client"), timeout=PATIENCE).text)
    assert proxy.asked == []


def test_the_terminal_asks_the_bus_directly(proxy: Proxy, settings: dict[str, str], school: Blog) -> None:
    shown = run(settings, MINIBUS, "subscribers", EVENT_BUS_URL=school.url("event-bus"), COLUMNS="80")

    assert all(f"{name} " in shown for name in SERVICES), shown
    assert proxy.asked == []
