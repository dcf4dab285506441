"""Print events, states and differences at 80 columns, with and without colour.

Text of users is printed without markup and without control characters, because a terminal obeys these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec
from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.syntax import Syntax
from rich.text import Text

from minibus.core.printing import CONTROLS, escaped

console = Console(markup=False, highlight=False, emoji=False)
on_the_side = Console(markup=False, highlight=False, emoji=False, stderr=True)

COLOURS = {"PostCreated": "blue", "CommentCreated": "cyan", "CommentModerated": "yellow", "CommentUpdated": "green"}
MARKS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}
THEME = "ansi_dark"  # the terminal's own colours, on a dark or a light background
STATUSES = {"approved": "green", "rejected": "red", "pending": "yellow"}


def clean(text: str) -> str:
    """Return a text on one line, each control character replaced."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\n", " "))


def json_of(value: Any) -> str:
    """Return JSON for a script on one line, its control characters escaped."""
    return escaped(msgspec.json.encode(value).decode())


def print_json(value: Any) -> None:
    """Print JSON for a script, on one line."""
    click.echo(json_of(value))


def pretty(value: Any) -> str:
    """Return indented JSON for people."""
    lines = msgspec.json.format(msgspec.json.encode(value), indent=2).decode().splitlines()
    return "\n".join(map(clean, lines))


def time_of(event: dict[str, Any]) -> str:
    """Return the time of day of an event."""
    return clean(str(event.get("time", "")))[11:19]


def facts(data: Any, room: int | None = None) -> Text:
    """Return an event's data as text: title or content and status of a post or comment, JSON for any other data.

    With `room`, in that many columns: a long title or content is cut short, the status is not.
    """
    written = data.get("title", data.get("content")) if isinstance(data, dict) else None
    text = Text(f"“{clean(written)}”" if isinstance(written, str) else clean(json_of(data)))
    status = Text()
    if isinstance(written, str) and (word := data.get("status")):
        status = Text(f"  {clean(str(word))}", STATUSES.get(str(word), ""))
    if room is not None:
        text.truncate(max(room - status.cell_len, 10), overflow="ellipsis")
    return text.append(status)


def indented(text: Text, by: int, hang: int = 0) -> Text:
    """Wrap a text, indented by `by` columns; indent every line but the first by `hang` more."""
    room = console.width - by
    lines = [text] if text.cell_len <= room else text.wrap(console, max(room - hang, 20))
    for line in lines:
        line.rstrip()
    margins = (" " * (by + (hang if number else 0)) for number in range(len(lines)))
    return Text("\n").join(Text(margin).append(line) for margin, line in zip(margins, lines, strict=True))


def code(source: str, language: str, by: int = 0) -> Iterator[Text]:
    """Yield the lines of source code, in colour; the rest of a long line is indented by 4 columns more."""
    for line in Syntax("", language, theme=THEME, background_color="default").highlight(source).split("\n"):
        margin = len(line.plain) - len(line.plain.lstrip())
        yield indented(line[margin:], by + margin, hang=4)


def event_line(event: dict[str, Any]) -> RenderableType:
    """Return an event on one line, with its note, if any, below."""
    kind = clean(event["type"])
    line = Text(f"{event.get('seq', ''):>6} {time_of(event):8} ", "dim")
    line.append(f"{kind:<16} ", COLOURS.get(kind, "magenta"))
    line.append(facts(event.get("data"), room=console.width - line.cell_len))
    return Group(line, *notes(event, indent=7))


def event_card(event: dict[str, Any]) -> RenderableType:
    """Return an event on several lines: number, type, source, time, data, note."""
    kind = clean(event["type"])
    head = Text(f"#{event.get('seq', '')} ", "bold").append(kind, f"bold {COLOURS.get(kind, 'magenta')}")
    head.append(f"  from {clean(event.get('source', '')).removeprefix('/')}, {time_of(event)}", "dim")
    return Group(head, indented(facts(event.get("data")), by=2), *notes(event, indent=2), "")


def notes(event: dict[str, Any], indent: int) -> Iterator[RenderableType]:
    """Yield the note for the instructor, which events of a story have."""
    if note := event.get("note"):
        yield indented(Text(f"▸ {clean(str(note))}", "italic"), by=indent, hang=2)


def differences(changes: list[dict[str, Any]]) -> Iterator[RenderableType]:
    """Yield each change: its place in the state, and below it the values before and after."""
    for change in changes:
        mark, colour = MARKS[change["change"]]
        place = " / ".join(clean(str(step)) for step in change["path"]) or "everything"
        yield indented(Text(f"{mark} ", f"bold {colour}").append(place, "bold"), by=2, hang=2)
        values = [clean(json_of(change[side])) for side in ("before", "after") if side in change]
        yield indented(Text(" → ".join(values), colour), by=4)


def standing(name: str, subscriber: dict[str, Any]) -> Text:
    """Return a subscriber's name, state and position on one line."""
    head = subscriber["position"] + subscriber["lag"]
    shown = clean(name)
    shown = set_cell_size(shown, max(cell_len(shown), 12))
    return Text(f"{shown} {clean(subscriber['state'])} at {subscriber['position']} of {head}")
