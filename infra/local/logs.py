"""Print the logs of the parts as they grow: `make logs SERVICE=query`."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import cycle

from infra.local.processes import LOGS
from infra.parts import PORTS

COLOURS = dict(zip(PORTS, cycle((31, 34, 35, 36, 33, 32)), strict=False))  # ANSI: red, blue, …
WRITTEN = 10  # as wide blog/common/minibus/http/app.py writes a name
NAME_WIDTH = max(map(len, PORTS))
HISTORY = 20  # lines


class Log:
    """The log file of one part, followed as it grows and when it is rotated."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.path = LOGS / f"{part}.log"
        self.path.touch()
        self.file = self.path.open(errors="replace")
        self.rest = ""

    def new_lines(self) -> list[str]:
        """Return the lines that were completed since the last call."""
        rotated = self._is_rotated()
        text = self.rest + self.file.read()
        if rotated:
            self.file.close()
            self.file = self.path.open(errors="replace")
            text += self.file.read()
        *lines, self.rest = text.split("\n")
        return lines

    def _is_rotated(self) -> bool:
        with suppress(FileNotFoundError):
            return self.path.stat().st_ino != os.fstat(self.file.fileno()).st_ino
        return False


def show(part: str, line: str) -> None:
    """Print a line behind its part's name; a terminal gets colour, and lines wrapped behind the name."""
    name = f"{part:<{NAME_WIDTH}} "
    text = line.removeprefix(f"{part:<{WRITTEN}} ").removeprefix(f"{part}: ")
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns - len(name), 20)
        text = textwrap.fill(text, width, subsequent_indent=" " * len(name))
        if "NO_COLOR" not in os.environ:
            name = f"\033[{COLOURS[part]}m{name}\033[0m"
    print(name + text, flush=True)


def follow(logs: Iterable[Log], goes_on: Callable[[], bool]) -> None:
    """Print new lines as long as `goes_on` returns true."""
    while goes_on():
        for log in logs:
            for line in log.new_lines():
                show(log.part, line)
        time.sleep(0.1)


def main(parts: list[str]) -> None:
    """Print the last lines of these parts' logs, and then new lines."""
    logs = [Log(part) for part in parts]
    for log in logs:
        for line in log.new_lines()[-HISTORY:]:
            show(log.part, line)
    with suppress(KeyboardInterrupt):
        follow(logs, lambda: True)


if __name__ == "__main__":
    LOGS.mkdir(parents=True, exist_ok=True)
    main(sys.argv[1:])
