"""Make a failing script short: leave out what it fails without."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.chaos.commands import Script


def shrink(script: Script, fails: Callable[[Script], bool], seconds: float) -> Script:
    """Return a script that fails, too: halves of it are left out, then quarters, down to single commands."""
    deadline = time.monotonic() + seconds
    size = len(script) // 2
    while size:
        begin = 0
        while begin < len(script):
            if time.monotonic() > deadline:
                return script
            shorter = script[:begin] + script[begin + size :]
            if fails(shorter):
                script = shorter
            else:
                begin += size
        size //= 2
    return script
