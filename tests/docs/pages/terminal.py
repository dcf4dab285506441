"""A reader's terminal: a shell in a fresh copy of the repository that uses the ports of a class."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from harness.waiting import eventually
from infra.parts import ROOT
from tests.docs.pages.containers import Docker
from tests.support.lent import lend_environment

PATIENCE = 120.0  # seconds for a command to end, or to print the output of the page
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", "data", "mine", "run", "node_modules", "__pycache__")

# Run one command. A reader sees one shell, so each command starts with the folder and environment of the last one.
SHELL = """
cd "$(cat "$TERMINAL/folder")" && . "$TERMINAL/environment"
eval "$1"
status=$?
pwd > "$TERMINAL/folder"
export -p > "$TERMINAL/environment"
exit $status
"""


class Terminal:
    """A terminal below `folder`, with one window for each command that continues to run."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "minibus"
        shutil.copytree(ROOT, self.root, ignore=NOT_COPIED)
        lend_environment(self.root)
        self.state = folder / "terminal"
        self.state.mkdir()
        (self.state / "folder").write_text(str(self.root))
        (self.state / "environment").touch()
        self.patience = PATIENCE
        self.docker = Docker(folder / "docker")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTEST"))}
        self.environment = {
            **inherited,
            **self.docker.environment(),
            "TERMINAL": str(self.state),
            "PYTHONUNBUFFERED": "1",  # print each line at once, as in a terminal
            "COLUMNS": "80",
            "NO_COLOR": "1",
        }
        self.windows: list[Window] = []

    def type(self, command: str) -> tuple[str, int]:
        """Run a command to its end; return its output and its exit status."""
        window = Window(self, command)
        try:
            window.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            window.kill()
            return f"{window.output()}\n(the command did not end within {self.patience:.0f} s)", 1
        return window.output(), window.process.returncode

    def start(self, command: str, until: Callable[[str], bool]) -> str:
        """Start a command in a new window, and wait for its expected output; return the output so far."""
        self.windows.append(Window(self, command))
        return self.wait_for(until)

    def wait_for(self, until: Callable[[str], bool]) -> str:
        """Wait for the expected output of the last window; return its output since the last call."""
        window = self.windows[-1]
        with suppress(AssertionError):
            eventually(lambda: until(window.news()) or window.process.poll() is not None, self.patience)
        news = window.news()
        window.read += len(news)
        return news

    def press_ctrl_c(self) -> str:
        """Send Ctrl-C to the last window, and close it; return its output since the last call."""
        window = self.windows.pop()
        os.killpg(window.process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            window.process.wait(PATIENCE)
        return window.news()

    def close(self) -> None:
        """End every process that was started in this terminal."""
        while self.windows:
            self.press_ctrl_c()
        remaining = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in remaining:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(remaining, PATIENCE)
        self.docker.close()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return bool(process.cmdline()) and Path(process.cwd()).is_relative_to(self.root)
        except psutil.Error:
            return False


class Window:
    """One command, with its output in a file."""

    count = 0

    def __init__(self, terminal: Terminal, command: str) -> None:
        Window.count += 1
        self.file = terminal.state / f"output-{Window.count}"
        self.read = 0
        with self.file.open("wb") as file:
            self.process = subprocess.Popen(
                ["bash", "-c", SHELL, "bash", command],
                cwd=terminal.root, env=terminal.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def output(self) -> str:
        return self.file.read_text(errors="replace")

    def news(self) -> str:
        return self.output()[self.read :]

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
