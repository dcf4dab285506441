"""What a console on a page shows: which commands, what they say, and whether that is what they said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

ANY_LINES, GOES_ON, CTRL_C = "…", "⋮", "^C"

# What differs from run to run, and needs no sign on the page.
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
    """A command on a page, or a `⋮` that begins a block; `first` and `last` are the lines that show what it says."""

    typed: str
    first: int
    shown: list[str] = field(default_factory=list)

    @property
    def last(self) -> int:
        return self.first + len(self.shown)

    @property
    def goes_on(self) -> bool:
        return self.shown[-1:] == [GOES_ON]


def read(block: str) -> list[Command]:
    """Read the commands of a console. Raises `ValueError` for text that no command says."""
    commands: list[Command] = []
    for number, line in enumerate(block.splitlines(), 1):
        if line.startswith("$ ") or line == CTRL_C or (line == GOES_ON and not commands):
            commands.append(Command(line.removeprefix("$ "), number))
        elif not commands:
            raise ValueError(f"A console begins with a command behind `$ `, not with {line!r}.")
        elif line.startswith("> ") and not commands[-1].shown:
            commands[-1].typed += f"\n{line.removeprefix('> ')}"
            commands[-1].first += 1
        else:
            commands[-1].shown.append(line.rstrip())
    return commands


class Names:
    """Which id of this run stands for which id on the page."""

    def __init__(self) -> None:
        self.here: dict[str, str] = {}

    def typed(self, command: str) -> str:
        """Return a command of the page with the ids of this run."""
        return VARIABLE.sub(lambda found: self.here.get(found[0], found[0]), command)

    def on_page(self, said: str) -> str:
        """Return what was said with the ids of the page, as far as they are known."""
        page = {here: page for page, here in self.here.items()}
        return VARIABLE.sub(lambda found: page.get(found[0], found[0]), said)

    def match(self, shown: list[str], said: str) -> bool:
        """Say whether this was said, and learn the new ids. What goes on need only begin as shown."""
        goes_on = shown[-1:] == [GOES_ON]
        pattern, groups = self._pattern(shown[:-1] if goes_on else shown)
        found = (re.match if goes_on else re.fullmatch)(pattern, tidy(said))
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
    """Return a pattern for this text, with what varies in the shape that it has."""
    pattern, end = "", 0
    for found in VARIABLE.finditer(text):
        pattern += re.escape(text[end : found.start()]) + shape(found)
        end = found.end()
    return pattern + re.escape(text[end:])


def tidy(said: str) -> str:
    """Return what was said without what nobody sees: colours, and blanks at the end of a line."""
    return "".join(f"{line.rstrip()}\n" for line in re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", said).splitlines())
