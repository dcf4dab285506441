"""Read the console blocks of a page: their commands, and the output to compare."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

ANY_LINES, CONTINUES, CTRL_C = "…", "⋮", "^C"

# Text that differs from run to run, and needs no mark on the page.
VARIABLE = re.compile(
    r"(?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"
    r"|(?P<id>\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8}\b)"
    r"|(?P<date>\d{4}-\d\d-\d\dT[\d:.]+Z)"
    r"|(?P<time>\b\d\d:\d\d:\d\d\b)"
    r"|(?P<measure>\d[\d.,]*(?= ?(?:µs|ms|s|min|h|kB|MB|GB|KiB|MiB)\b))"
    r"|(?P<anything>…)"
    r"|(?P<blanks> +)"
)
SHAPES = {
    "uuid": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "id": "[0-9a-f]{8}",
    "date": r"\d{4}-\d\d-\d\dT[\d:.]+Z",
    "time": r"\d\d:\d\d:\d\d",
    "measure": r"\d[\d.,]*",
    "anything": ".*",
    "blanks": " +",
}


@dataclass
class Command:
    """A command of a page, or a `⋮` that begins a block; `first` and `last` are the lines of its output."""

    typed: str
    first: int
    shown: list[str] = field(default_factory=list)

    @property
    def last(self) -> int:
        return self.first + len(self.shown)

    @property
    def continues(self) -> bool:
        return self.shown[-1:] == [CONTINUES]


def read(block: str) -> list[Command]:
    """Return the commands of a console block. Raises `ValueError` for output before the first command."""
    commands: list[Command] = []
    for number, line in enumerate(block.splitlines(), 1):
        if line.startswith("$ ") or line == CTRL_C or (line == CONTINUES and not commands):
            commands.append(Command(line.removeprefix("$ "), number))
        elif not commands:
            raise ValueError(f"A console block must begin with `$ ` and a command; found {line!r}.")
        elif line.startswith("> ") and not commands[-1].shown:
            commands[-1].typed += f"\n{line.removeprefix('> ')}"
            commands[-1].first += 1
        else:
            commands[-1].shown.append(line.rstrip())
    return commands


class Names:
    """The ids of the page, each with its id in this run."""

    def __init__(self) -> None:
        self.here: dict[str, str] = {}

    def typed(self, command: str) -> str:
        """Replace the ids of the page in a command by the ids of this run."""
        return VARIABLE.sub(lambda found: self.here.get(found[0], found[0]), command)

    def on_page(self, output: str) -> str:
        """Replace the ids of this run in an output by the ids of the page, if the page has them."""
        page = {here: page for page, here in self.here.items()}
        return VARIABLE.sub(lambda found: page.get(found[0], found[0]), output)

    def match(self, shown: list[str], output: str) -> bool:
        """Return whether an output matches the page, and record its new ids.

        If the command continues, only the beginning of its output must match.
        """
        continues = shown[-1:] == [CONTINUES]
        pattern, groups = self._pattern(shown[:-1] if continues else shown)
        found = (re.match if continues else re.fullmatch)(pattern, tidy(output))
        if found:
            self.here.update({page: found[group] for page, group in groups.items()})
        return bool(found)

    def _pattern(self, shown: list[str]) -> tuple[str, dict[str, str]]:
        groups: dict[str, str] = {}

        def shape(found: re.Match[str]) -> str:
            kind = found.lastgroup or ""
            if kind not in ("id", "uuid"):
                return SHAPES[kind]
            if found[0] in self.here:
                return re.escape(self.here[found[0]])
            if found[0] in groups:
                return f"(?P={groups[found[0]]})"
            groups[found[0]] = f"id{len(groups)}"
            return f"(?P<{groups[found[0]]}>{SHAPES[kind]})"

        def line(text: str) -> str:
            if text.strip() == ANY_LINES:
                return r"(?:.*\n)*?"
            return substitute(text, shape) + r"\n"

        return "".join(map(line, shown)), groups


def substitute(text: str, shape: Callable[[re.Match[str]], str]) -> str:
    """Return a pattern for a text: literal, with a shape for each part that varies."""
    pattern, end = "", 0
    for found in VARIABLE.finditer(text):
        pattern += re.escape(text[end : found.start()]) + shape(found)
        end = found.end()
    return pattern + re.escape(text[end:])


def tidy(output: str) -> str:
    """Remove the invisible parts of an output: colours, and blanks at the end of a line."""
    return "".join(f"{line.rstrip()}\n" for line in re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", output).splitlines())
