"""What a machine has once: suites and workers that need it wait for each other, so that none fails for another.

- The ports of a class (3000, 4000 …): pages are typed on them, and `make up` needs them.
- The names of the images: another suite would build the same names from its own tree.
- The network: containers come with interfaces of their own, and whenever one comes or goes, Chromium drops what it is
  loading (net::ERR_NETWORK_CHANGED). A person presses reload; a page under test stays half loaded.

A test waits before its time begins. Ports and images belong to a whole file, because what a test has started still runs
for the next one; the network belongs to one test at a time. The order is always ports, images, network: no deadlock.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

COURSE_PORTS, IMAGES, NETWORK = "course-ports", "images", "network"
BUILDS_IMAGES = ("test_images.py", "03-docker.md")
SHARED, ALONE = fcntl.LOCK_SH, fcntl.LOCK_EX

of_file: ExitStack = ExitStack()
file_of_locks: Path | None = None


@contextmanager
def as_needed(item: pytest.Item, next_item: pytest.Item | None) -> Iterator[None]:
    """Take what this test needs; give it back after the test, or after the last test of its file."""
    take_for_file(item.path)
    try:
        with ExitStack() as of_test:
            if use := use_of_network(item):
                lock(of_test, NETWORK, use)
            yield
    finally:
        if next_item is None or next_item.path != item.path:
            of_file.close()


def take_for_file(path: Path) -> None:
    """Take what all the tests of a file need."""
    global file_of_locks  # noqa: PLW0603 - one worker runs one file at a time
    if path == file_of_locks:
        return
    of_file.close()
    file_of_locks = path
    if uses_course_ports(path):
        lock(of_file, COURSE_PORTS, ALONE)
    if path.name in BUILDS_IMAGES:
        lock(of_file, IMAGES, ALONE)


def lock(stack: ExitStack, name: str, how: int) -> None:
    """Wait for a lock that all suites of this user share, until the stack is closed."""
    path = Path(tempfile.gettempdir()) / f"minibus-tests-{os.getuid()}-{name}.lock"
    fcntl.flock(stack.enter_context(path.open("a")), how)


def uses_course_ports(path: Path) -> bool:
    """Tell whether the tests of a file use the ports of a class: `make up` in a copy, and every page."""
    return path.name == "test_make.py" or path.suffix == ".md"


def use_of_network(item: pytest.Item) -> int | None:
    """Return how a test needs the network: ALONE to change it, SHARED to browse, None if it does neither."""
    if item.path.name in BUILDS_IMAGES:
        return ALONE
    # The checker has a browser of its own, for the client.
    checks_the_client = item.path.name == "test_conformance.py" and "client" in item.name
    return SHARED if checks_the_client or "browser" in getattr(item, "fixturenames", ()) else None
