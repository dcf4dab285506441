"""Start and kill the process of the service, if CMD names the command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from contextlib import suppress


class Process:
    """A command in a shell. All its processes are in one process group, so a kill ends each of them."""

    def __init__(self, command: str, **settings: str) -> None:
        self.command = command
        self.settings = settings
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - the file is needed as long as this object
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the command without waiting for it."""
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
        """Kill the command and its child processes with SIGKILL."""
        if self._running:
            with suppress(ProcessLookupError):
                os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
            self._running = None

    @property
    def has_ended(self) -> bool:
        """Return whether the command has ended by itself."""
        return self._running is not None and self._running.poll() is not None

    def ends(self, within: float) -> bool:
        """Wait up to `within` seconds for the command to end; return whether it has. Its connections break first."""
        with suppress(subprocess.TimeoutExpired):
            if self._running:
                self._running.wait(within)
        return self.has_ended

    def last_lines(self, most: int = 3) -> list[str]:
        """Return the last lines of the command's output; of a stack trace, only the line that names the error."""
        self._output.seek(0)
        lines = [line.strip() for line in self._output.read().decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if re.match(r"([A-Z]\w*)?(Error|Exception)( \[\w+\])?: \w", line)]
        return errors[-1:] or lines[-most:]
