"""Fixtures of the whole-system tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright

from infra.parts import PORTS, is_taken
from tests.support.gateway import one_origin
from tests.support.system import Blog

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-quic"),
]


# What a script starts in the background ignores Ctrl-C, and what nohup starts a terminal that is closed; so would all
# that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def in_ci(what_is_missing: str) -> NoReturn:
    """Skip what this machine cannot run, visibly; in CI nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(what_is_missing)
    pytest.skip(what_is_missing)


def need_course_ports() -> None:
    """Skip what needs the ports of a class where something is in their place already."""
    if taken := [port for port in PORTS.values() if is_taken(port)]:
        in_ci(f"ports {taken} are in use (make down?), and this needs them")


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    """A whole blog on SQLite, shared by the tests of one file."""
    blog = Blog(tmp_path_factory.mktemp("blog"))
    try:
        yield blog.start().ready()
    finally:
        blog.close()


@pytest.fixture
def new_blog(tmp_path: Path) -> Iterator[Blog]:
    """A blog of a test's own, not started yet."""
    blog = Blog(tmp_path)
    yield blog
    blog.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium. Without one the tests are skipped on a laptop, and fail in CI."""
    if not os.path.exists(CHROMIUM):
        in_ci(f"no Chromium at {CHROMIUM}; set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(blog: Blog) -> Iterator[str]:
    """One origin for the page and all its services, routed as the course's Ingress does."""

    gateway = one_origin(blog)
    yield gateway.url
    gateway.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show in CI's log what the labs have shown."""
    if os.environ.get("CI") != "true":
        return
    for report in terminalreporter.getreports(""):
        if transcript := dict(report.user_properties).get("transcript"):
            terminalreporter.write_sep("=", report.nodeid)
            terminalreporter.write(str(transcript))
