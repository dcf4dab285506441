"""What a test needs of this machine. A laptop may lack some of it; in CI nothing may be missing."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NoReturn

import pytest

from harness.waiting import eventually
from infra.parts import PORTS, is_taken

RELEASE = 10.0  # seconds in which the suite before ours may still end its parts


def in_ci(what_is_missing: str) -> NoReturn:
    """Skip a test, visibly, because of what this machine lacks; in CI fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(what_is_missing)
    pytest.skip(what_is_missing)


def need_course_ports() -> None:
    """Skip a test that needs the ports of a class, when another program listens there (see locks.py for suites)."""

    def taken() -> list[int]:
        return [port for port in PORTS.values() if is_taken(port)]

    with suppress(AssertionError):
        eventually(lambda: not taken(), RELEASE)
    if ports := taken():
        in_ci(f"ports {ports} are in use (make down?), and this needs them")
