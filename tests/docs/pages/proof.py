"""Do what a page says, from top to bottom, and compare what happens with what it shows."""

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

from tests.conftest import in_ci, need_course_ports
from tests.docs.pages import needs
from tests.docs.pages.terminal import Terminal
from tests.docs.pages.transcript import CTRL_C, GOES_ON, Command, Names, read, tidy
from tests.support.system import eventually

REWRITE = bool(os.environ.get("REWRITE"))

# What changes nothing is looked at again until it is as shown: a reader is slower than events are.
LOOKS = re.compile(
    r"curl (?!.*(?:-d|--data|--json|-X) )|make (?:status|checkpoint)\b|minibus (?:subscribers|state|diff)\b"
    r"|docker (?:exec|logs)\b|kubectl (?:get|logs)\b"
)
LOOKED_AT_FOR = 2.0 if REWRITE else 30.0  # seconds


class Reader:
    """Somebody who reads one page: a terminal, the ids of this run, and what was other than shown."""

    def __init__(self) -> None:
        need_course_ports()
        self.folder = tempfile.TemporaryDirectory(prefix="page-")
        self.terminal = Terminal(Path(self.folder.name))
        self.names = Names()
        self.looked_at_for = LOOKED_AT_FOR
        self.stuck_at = 0
        self.corrections: list[tuple[Path, int, int, str]] = []

    def close(self) -> None:
        """End all that the page began, and write down what is to be corrected."""
        self.terminal.close()
        self.folder.cleanup()
        for path, first, last, said in reversed(self.corrections):
            lines = path.read_text().splitlines(keepends=True)
            path.write_text("".join([*lines[:first], said, *lines[last:]]))

    def type(self, command: Command) -> tuple[str, int]:
        """Type a command as the page says; return what it says, and its exit status."""
        typed = self.names.typed(command.typed)
        if command.typed == CTRL_C:
            return self.terminal.press_ctrl_c(), 0
        if command.typed == GOES_ON:
            return self.terminal.listen(lambda said: self.names.match(command.shown, said)), 0
        if command.goes_on:
            return self.terminal.start(typed, lambda said: self.names.match(command.shown, said)), 0
        if LOOKS.match(typed):
            return self.look(typed, command.shown)
        return self.terminal.type(typed)

    def look(self, typed: str, shown: list[str]) -> tuple[str, int]:
        """Look at what may be a moment behind, until it is as shown or the time is up."""
        answer = "", 0

        def is_as_shown() -> bool:
            nonlocal answer
            answer = self.terminal.type(typed)
            return self.names.match(shown, answer[0])

        with suppress(AssertionError):
            eventually(is_as_shown, self.looked_at_for)
        return answer


def type_console(reader: Reader, example: Example, text: str, to: str) -> str:
    """Type the commands of a console, and compare what they say."""
    for command in read(text):
        said, status = reader.type(command)
        # What a program said before it was ended stands above the ^C.
        shown = ["…", *command.shown] if command.typed == CTRL_C else command.shown
        if reader.names.match(shown, said) and (shown or status == 0):
            continue
        if not REWRITE or (status and not said):
            return (
                f"line {example.line + command.first}: $ {command.typed}\n"
                f"is shown to say:\n{indented(command.shown)}\nbut ends with status {status} and says:\n"
                f"{indented(tidy(said).splitlines())}"
            )
        end = "⋮\n" if command.goes_on else ""
        first, last = example.line + command.first, example.line + command.last
        reader.corrections.append((Path(example.path), first, last, reader.names.on_page(tidy(said)) + end))
    return ""


def write_file(reader: Reader, example: Example, text: str, to: str) -> str:
    """Write the file that the page asks its reader to write."""
    path = reader.terminal.root / to
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return ""


def make_change(reader: Reader, example: Example, text: str, to: str) -> str:
    """Make the change that the page asks its reader to make."""
    patch = ["patch", "-p1", "--batch", "--no-backup-if-mismatch"]
    done = subprocess.run(patch, cwd=reader.terminal.root, input=text, text=True, capture_output=True, check=False)
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


DO = {"console": type_console, "diff": make_change}
BLOCK = re.compile(r"(?P<language>console|diff|\w+(?= to=))(?P<words>[^\n]*)\n")


def blocks(document: Document) -> Iterator[Region]:
    """Find what there is to do on a page."""
    for region in RawFencedCodeBlockLexer(BLOCK)(document):
        yield Region(region.start, region.end, region.lexemes, do)


def do(example: Example) -> str:
    """Do what a block says; return what is wrong, nothing if all is as shown."""
    reader: Reader = example.namespace["reader"]
    if reader.stuck_at:
        return f"Not tried, because line {reader.stuck_at} of this page is wrong."
    words = dict(word.split("=", 1) for word in example.parsed["words"].split())
    require(words.get("needs"), reader)
    reader.stuck_at = example.line
    wrong = DO.get(example.parsed["language"], write_file)(
        reader, example, example.parsed["source"], words.get("to", "")
    )
    reader.stuck_at = example.line if wrong else 0
    return wrong


def require(need: str | None, reader: Reader) -> None:
    """Skip what this machine has not, visibly. In CI an engine that is installed has to answer."""
    if need and not needs.is_installed(need):
        pytest.skip(f"needs a {need}, and there is none here")
    if need and not needs.is_there(need):
        if need == "cluster":  # kubectl is everywhere, a cluster to play with is not
            pytest.skip("needs a cluster, and CLUSTER=1 to use the one that kubectl points at")
        in_ci(f"needs a {need}, which does not answer")
    if need:
        reader.terminal.patience = needs.PATIENCE
        reader.looked_at_for = LOOKED_AT_FOR * 10
    if need == "docker":
        reader.terminal.docker.begin()


def begin(namespace: dict[str, Any]) -> None:
    """Let somebody read a page."""
    namespace["reader"] = Reader()


def end(namespace: dict[str, Any]) -> None:
    """Clear up behind them."""
    if "reader" in namespace:
        namespace["reader"].close()


def indented(lines: list[str]) -> str:
    """Return lines as they stand in a message."""
    return "\n".join(f"    {line}" for line in lines)
