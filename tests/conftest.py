"""Fixtures of all tests: a blog, a browser, and one origin for both."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from harness.browser import chromium, find_chromium
from harness.waiting import PATIENCE
from tests.support.gateway import one_origin
from tests.support.machine import in_ci
from tests.support.system import Blog

# A shell starts background jobs with Ctrl-C ignored, and nohup does so with hangups; children inherit both.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

expect.set_options(timeout=1000 * PATIENCE)


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
    if not find_chromium():
        in_ci("no Chromium found; install it, or set CHROMIUM to its path")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(blog: Blog) -> Iterator[str]:
    """One origin for the page and all its services, routed as the course's Ingress does."""
    gateway = one_origin(blog)
    yield gateway.url
    gateway.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show in CI's log what the labs have printed."""
    if os.environ.get("CI") != "true":
        return
    for report in terminalreporter.getreports(""):
        if transcript := dict(report.user_properties).get("transcript"):
            terminalreporter.write_sep("=", report.nodeid)
            terminalreporter.write(str(transcript))
