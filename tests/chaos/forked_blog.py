"""A blog of forked parts on given ports; a part is killed and started again without waiting for the others."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from harness.waiting import eventually
from infra.parts import is_taken
from tests.support.system import Blog

PATIENCE = 60.0  # seconds


class ForkedBlog(Blog):
    """A blog whose parts end and start again. The setting `MUTANT` names a broken build."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        super().__init__(folder)
        self.ports = ports

    def runs(self, name: str) -> bool:
        """Whether a part is there."""
        return name in self.processes and self.processes[name].poll() is None

    def signal_part(self, name: str, number: signal.Signals) -> None:
        """Send a signal to both processes of a part, gunicorn's master and its worker."""
        with suppress(ProcessLookupError):
            os.killpg(self.processes[name].pid, number)

    def end_part(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End a part, and wait until its address is free."""
        process = self.processes[name]
        if number != signal.SIGKILL:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
        self.signal_part(name, signal.SIGKILL)
        process.wait(PATIENCE)
        del self.processes[name]
        eventually(lambda: not is_taken(self.ports[name]), PATIENCE)

    def close(self) -> None:
        """End every part."""
        for name in list(self.processes):
            self.end_part(name)
