"""Run the blocks of a page from top to bottom, and compare their output with the page."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from harness.waiting import eventually
from tests.docs.pages import needs
from tests.docs.pages.terminal import Terminal
from tests.docs.pages.transcript import CONTINUES, CTRL_C, Command, Names, read, tidy
from tests.support.machine import in_ci, need_course_ports

REWRITE = bool(os.environ.get("REWRITE"))

# Commands that change nothing. Repeat them until the output equals the page, because events need a moment.
LOOKS = re.compile(
    r"curl (?!.*(?:-d|--data|--json|-X) )|make (?:status|checkpoint)\b|minibus (?:subscribers|state|diff)\b"
    r"|docker (?:exec|logs)\b|kubectl (?:get|logs)\b"
)
LOOK_TIMEOUT = 2.0 if REWRITE else 30.0  # seconds


class Reader:
    """The reader of one page: a terminal, the ids of this run, and the corrections of the page."""

    def __init__(self) -> None:
        need_course_ports()
        self.folder = tempfile.TemporaryDirectory(prefix="page-")
        self.terminal = Terminal(Path(self.folder.name))
        self.names = Names()
        self.look_timeout = LOOK_TIMEOUT
        self.stuck_at = 0
        self.corrections: list[tuple[Path, int, int, str]] = []

    def close(self) -> None:
        """End every process of the page, and write the corrections into the page."""
        self.terminal.close()
        self.folder.cleanup()
        for path, first, last, output in reversed(self.corrections):
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join([*lines[:first], output, *lines[last:]]))

    def type(self, command: Command) -> tuple[str, int]:
        """Type a command of the page; return its output and its exit status."""
        typed = self.names.typed(command.typed)
        if command.typed == CTRL_C:
            return self.terminal.press_ctrl_c(), 0
        if command.typed == CONTINUES:
            return self.terminal.wait_for(lambda output: self.names.match(command.shown, output)), 0
        if command.continues:
            return self.terminal.start(typed, lambda output: self.names.match(command.shown, output)), 0
        if LOOKS.match(typed):
            return self.look(typed, command.shown)
        return self.terminal.type(typed)

    def look(self, typed: str, shown: list[str]) -> tuple[str, int]:
        """Repeat a command until its output equals the page or the time is up; return its last output and status."""
        answer = "", 0

        def is_as_shown() -> bool:
            nonlocal answer
            answer = self.terminal.type(typed)
            return self.names.match(shown, answer[0])

        with suppress(AssertionError):
            eventually(is_as_shown, self.look_timeout)
        return answer


def type_console(reader: Reader, example: Example, text: str, to: str) -> str:
    """Type the commands of a console block; return the first difference, or an empty string."""
    for command in read(text):
        output, status = reader.type(command)
        # The page shows the program's earlier output above the ^C.
        shown = ["…", *command.shown] if command.typed == CTRL_C else command.shown
        if reader.names.match(shown, output) and (shown or status == 0):
            continue
        if not REWRITE or (status and not output):
            return (
                f"line {example.line + command.first}: $ {command.typed}\n"
                f"Expected output:\n{indented(command.shown)}\nFound, with status {status}:\n"
                f"{indented(tidy(output).splitlines())}"
            )
        end = "⋮\n" if command.continues else ""
        first, last = example.line + command.first, example.line + command.last
        reader.corrections.append((Path(example.path), first, last, reader.names.on_page(tidy(output)) + end))
    return ""


def write_file(reader: Reader, example: Example, text: str, to: str) -> str:
    """Write the file that the reader of the page writes."""
    path = reader.terminal.root / to
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return ""


def make_change(reader: Reader, example: Example, text: str, to: str) -> str:
    """Apply the change that the reader of the page makes; return the output of a failed `patch`."""
    patch = ["patch", "-p1", "--batch", "--no-backup-if-mismatch"]
    done = subprocess.run(patch, cwd=reader.terminal.root, input=text, text=True, capture_output=True, check=False)
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


DO = {"console": type_console, "diff": make_change}
BLOCK = re.compile(r"(?P<language>console|diff|\w+(?= to=))(?P<words>[^\n]*)\n")


def blocks(document: Document) -> Iterator[Region]:
    """Find the blocks of a page that the tests run."""
    for region in RawFencedCodeBlockLexer(BLOCK)(document):
        yield Region(region.start, region.end, region.lexemes, do)


def do(example: Example) -> str:
    """Run a block; return the difference from the page, or an empty string."""
    reader: Reader = example.namespace["reader"]
    if reader.stuck_at:
        return f"Not run: the block at line {reader.stuck_at} of this page failed."
    words = dict(word.split("=", 1) for word in example.parsed["words"].split())
    require(words.get("needs"), reader)
    reader.stuck_at = example.line
    difference = DO.get(example.parsed["language"], write_file)(
        reader, example, example.parsed["source"], words.get("to", "")
    )
    reader.stuck_at = example.line if difference else 0
    return difference


def require(need: str | None, reader: Reader) -> None:
    """Skip a block whose need this machine cannot meet. In CI an installed engine must respond."""
    if need and not needs.is_installed(need):
        pytest.skip(f"needs {need}, which is not installed")
    if need and not needs.is_there(need):
        if need == "cluster":  # kubectl is often installed without a cluster that tests may change
            pytest.skip("needs CLUSTER=1 and a cluster; kubectl selects the cluster")
        in_ci(f"needs {need}, which does not respond")
    if need:
        reader.terminal.patience = needs.PATIENCE
        reader.look_timeout = LOOK_TIMEOUT * 10
    if need == "docker":
        reader.terminal.docker.begin()


def begin(namespace: dict[str, Any]) -> None:
    """Open a page: give its blocks a reader."""
    namespace["reader"] = Reader()


def end(namespace: dict[str, Any]) -> None:
    """Close the page's reader, if the page had one."""
    if "reader" in namespace:
        namespace["reader"].close()


def indented(lines: list[str]) -> str:
    """Return lines, indented for a message."""
    return "\n".join(f"    {line}" for line in lines)
