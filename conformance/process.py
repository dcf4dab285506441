"""The service's own process, where the checker was told the command that starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from contextlib import suppress


class Process:
    """A command in a shell, with all its kin in a group of their own, so that none survives a kill."""

    def __init__(self, command: str, **settings: str) -> None:
        self.command = command
        self.settings = settings
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and do not wait."""
        self._output.truncate(0)
        self._output.seek(0)
        self._running = subprocess.Popen(
            self.command,
            shell=True,
            env=os.environ | self.settings,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
        )

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        if self._running:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
            self._running = None

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._running is not None and self._running.poll() is not None

    def ends(self, within: float) -> bool:
        """Whether it ends by itself within so many seconds: what dies breaks off its connections first."""
        with suppress(subprocess.TimeoutExpired):
            if self._running:
                self._running.wait(within)
        return self.has_ended

    def last_words(self, most: int = 3) -> list[str]:
        """Return the last lines that it printed; of a long trace, those that name the error."""
        self._output.seek(0)
        lines = [line.strip() for line in self._output.read().decode(errors="replace").splitlines() if line.strip()]
        telling = [line for line in lines if re.match(r"([A-Z]\w*)?(Error|Exception)( \[\w+\])?: \w", line)]
        return telling[-1:] or lines[-most:]
