"""A blog whose parts are forks of one process that has everything imported: see nursery.py."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.system import APPS, ROOT, Blog, eventually

PATIENCE = 10.0  # seconds


class ForkedBlog(Blog):
    """A blog whose parts are forks, on ports that somebody has chosen. The setting `MUTANT` names a broken build."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        super().__init__(folder)
        self.ports = ports
        self.alive: dict[str, int] = {}  # part → process group
        self.services_seen_at: dict[str, str] = {}
        self.nursery = subprocess.Popen(
            [sys.executable, "-m", "gevent.monkey", "--module", "tests.chaos.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def spawn_part(self, name: str) -> None:
        """Fork a part and do not wait for it."""
        order = {
            "app": APPS[name],
            "log": str(self.folder / f"{name}.log"),
            "environment": {
                "DATA_DIR": str(self.folder / "data"),
                "EVENT_BUS_URL": self.bus_seen_by.get(name, self.url("event-bus")),
                "SERVICE_URL": self.services_seen_at.get(name, self.url(name)),
                "SUBSCRIBERS": "",
                "PORT": str(self.ports[name]),
                **self.settings,
            },
        }
        assert self.nursery.stdin
        assert self.nursery.stdout
        self.nursery.stdin.write(json.dumps(order).encode() + b"\n")
        self.nursery.stdin.flush()
        self.alive[name] = int(self.nursery.stdout.readline())

    def runs(self, name: str) -> bool:
        """Whether a part is there."""
        return name in self.alive and not is_gone(self.alive[name])

    def signal_part(self, name: str, number: signal.Signals) -> None:
        """Send a signal to both processes of a part, gunicorn's master and its worker."""
        os.killpg(self.alive[name], number)

    def end_part(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End a part, and wait until its address is free."""
        group = self.alive.pop(name)
        if number != signal.SIGKILL:
            with suppress(ProcessLookupError):
                os.kill(group, number)
            with suppress(AssertionError):
                eventually(lambda: is_gone(group), PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        eventually(lambda: is_free(self.ports[name]), PATIENCE)

    def close(self) -> None:
        """End every part."""
        for name in list(self.alive):
            self.end_part(name)

    def leave(self) -> None:
        """End the nursery, too."""
        self.close()
        assert self.nursery.stdin
        assert self.nursery.stdout
        self.nursery.stdin.close()
        self.nursery.wait(10)
        self.nursery.stdout.close()


def is_gone(group: int) -> bool:
    """Whether there is no process left of a group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def is_free(port: int) -> bool:
    """Whether nobody listens here."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
