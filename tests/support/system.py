"""The whole blog for a test: the real processes of `harness.blog`, forked from a nursery (see nursery.py)."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any

import harness.blog
from harness.waiting import PATIENCE
from infra.parts import ROOT


class Nursery:
    """The process that the parts of this process's tests are forks of."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gevent.monkey", "--module", "tests.support.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the tests, which end the nursery
        )
        self.one_at_a_time = threading.Lock()
        atexit.register(self.close)

    def ask(self, order: Any) -> Any:
        """Return the answer to an order."""
        assert self.process.stdin
        assert self.process.stdout
        with self.one_at_a_time:
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End it, and all that was forked."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


nursery = cache(Nursery)


class Fork:
    """A part that was forked: of `subprocess.Popen` what a blog needs."""

    def __init__(self, arguments: list[str], log: Path, environment: dict[str, str]) -> None:
        self.returncode: int | None = None
        log.touch()  # the child opens it a moment later
        order = {"arguments": arguments, "log": str(log), "environment": environment}
        self.pid: int = nursery().ask(order)

    def poll(self) -> int | None:
        """Return how it has ended, nothing while it runs."""
        if self.returncode is None:
            self.returncode = nursery().ask(self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Wait until it has ended; return how. Raises `subprocess.TimeoutExpired`."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a part", timeout)
            time.sleep(0.01)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Blog(harness.blog.Blog):
    """A blog whose own parts are forks."""

    def launch(self, command: list[str], log: Path, environment: dict[str, str]) -> Any:
        """Start a process."""
        if command[1:3] != ["-m", "gunicorn"]:
            return super().launch(command, log, environment)
        return Fork(command[2:], log, environment)
