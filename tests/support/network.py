"""Who drives a browser and who starts containers wait for each other.

Containers come with network interfaces of their own, and whenever one comes or goes, Chromium drops what it is loading
(net::ERR_NETWORK_CHANGED). A person presses reload; a page under test stays half loaded.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# One for all who run tests on this machine: it has one network.
LOCK = Path(tempfile.gettempdir()) / f"minibus-tests-{os.getuid()}.lock"

CONTAINERS = ("test_images.py", "03-docker.md")
BROWSES, CHANGES = fcntl.LOCK_SH, fcntl.LOCK_EX


@contextmanager
def as_needed(item: pytest.Item) -> Iterator[None]:
    """Keep the network as this test needs it, until it has ended."""
    how = use_of(item)
    if how is None:
        yield
        return
    with LOCK.open("a") as lock:
        fcntl.flock(lock, how)
        yield


def use_of(item: pytest.Item) -> int | None:
    """Say what a test does to the network, if anything."""
    if item.path.name in CONTAINERS:
        return CHANGES
    # The checker has a browser of its own, for the client.
    checks_the_client = item.path.name == "test_conformance.py" and "client" in item.name
    return BROWSES if checks_the_client or "browser" in getattr(item, "fixturenames", ()) else None
