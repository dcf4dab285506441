"""Wait for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from minibus.bus.client import BusAway, BusRefused

PATIENCE = 60.0  # seconds; only what fails waits so long, so a busy machine costs nothing but time
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.2  # seconds between two looks, each twice the one before

T = TypeVar("T")


def eventually(condition: Callable[[], T], seconds: float = PATIENCE) -> T:
    """Wait until the condition holds; return its value. Raises AssertionError when the time is up.

    A failed request and a missing key count as false.
    """
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while True:
        try:
            if found := condition():
                return found
            last: Any = found
        except (requests.RequestException, BusAway, BusRefused, LookupError) as error:
            last = error
        assert time.monotonic() < deadline, f"not within {seconds:g} s; the last answer was {last!r}"
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
