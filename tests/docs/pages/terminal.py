"""A reader's terminal: a shell in a fresh copy of the repository, on the ports of a class."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from tests.docs.pages.containers import Docker
from tests.support.system import ROOT, eventually

PATIENCE = 120.0  # seconds for a command to end, or to have said what is shown
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", "data", "mine", "run", "node_modules", "__pycache__")

# One command is typed after the other into what a reader sees as one shell: folder and environment go on.
SHELL = """
cd "$(cat "$TERMINAL/folder")" && . "$TERMINAL/environment"
export PYTHONPATH="$2"
eval "$1"
status=$?
pwd > "$TERMINAL/folder"
export -p > "$TERMINAL/environment"
exit $status
"""


class Terminal:
    """What a reader types into, in `folder`; several windows of it, where a command goes on."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "minibus"
        shutil.copytree(ROOT, self.root, ignore=NOT_COPIED)
        self._share_environment()
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
            "PYTHONUNBUFFERED": "1",  # as in a terminal
            "COLUMNS": "80",
            "NO_COLOR": "1",
        }
        self.windows: list[Window] = []

    def _share_environment(self) -> None:
        """Give the copy the environment that runs these tests: to build another takes half a minute."""
        shared, ours = Path(sys.prefix), self.root / ".venv"
        ours.mkdir()
        for path in shared.iterdir():
            if path.name not in ("run", "test"):
                (ours / path.name).symlink_to(path)
        for stamp in ("run", "test"):
            (ours / stamp).write_text(f"{self.root}\n")  # as `make` writes it

    def install(self) -> str:
        """Return where Python finds the parts of the copy, those too that the page adds; `make` is to install nothing.

        It would put the copy's parts into the environment of these tests.
        """
        for stamp in ("run", "test"):
            os.utime(self.root / ".venv" / stamp)
        return os.pathsep.join(str(path.parent) for path in self.root.glob("blog/*/pyproject.toml"))

    def type(self, command: str) -> tuple[str, int]:
        """Run a command to its end; return what it says, and its exit status."""
        window = Window(self, command)
        try:
            window.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            window.kill()
            return f"{window.said()}\n(it has not ended within {self.patience:.0f} s)", 1
        return window.said(), window.process.returncode

    def start(self, command: str, until: Callable[[str], bool]) -> str:
        """Start what goes on, and wait until it has said what is awaited; return what it said until then."""
        self.windows.append(Window(self, command))
        return self.listen(until)

    def listen(self, until: Callable[[str], bool]) -> str:
        """Wait until what goes on has said what is awaited; return what it said since it was last listened to."""
        window = self.windows[-1]
        with suppress(AssertionError):
            eventually(lambda: until(window.news()) or window.process.poll() is not None, self.patience)
        news = window.news()
        window.read += len(news)
        return news

    def press_ctrl_c(self) -> str:
        """End what was started last; return what it said since."""
        window = self.windows.pop()
        os.killpg(window.process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            window.process.wait(PATIENCE)
        return window.news()

    def close(self) -> None:
        """End all that was started from here, whatever became of it."""
        while self.windows:
            self.press_ctrl_c()
        left = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, PATIENCE)
        self.docker.close()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return bool(process.cmdline()) and Path(process.cwd()).is_relative_to(self.root)
        except psutil.Error:
            return False


class Window:
    """One command that runs; what it says goes into a file."""

    count = 0

    def __init__(self, terminal: Terminal, command: str) -> None:
        Window.count += 1
        self.output = terminal.state / f"said-{Window.count}"
        self.read = 0
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                ["bash", "-c", SHELL, "bash", command, terminal.install()],
                cwd=terminal.root, env=terminal.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def news(self) -> str:
        return self.said()[self.read :]

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
