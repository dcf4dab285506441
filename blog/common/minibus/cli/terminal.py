"""What the commands print: events, states and their differences, at 80 columns, with and without colour.

What people wrote is only ever text: no markup of ours, and no control characters, which a terminal would obey.
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
THEME = "ansi_dark"  # the terminal's own colours, whatever its background
STATUSES = {"approved": "green", "rejected": "red", "pending": "yellow"}


def clean(text: str) -> str:
    """Return a text that a terminal only shows."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\n", " "))


def json_of(value: Any) -> str:
    """Return JSON for a script on one line; what a terminal would obey is escaped."""
    return escaped(msgspec.json.encode(value).decode())


def print_json(value: Any) -> None:
    """Print JSON for a script."""
    click.echo(json_of(value))


def pretty(value: Any) -> str:
    """Return JSON for people, indented."""
    lines = msgspec.json.format(msgspec.json.encode(value), indent=2).decode().splitlines()
    return "\n".join(map(clean, lines))


def time_of(event: dict[str, Any]) -> str:
    """Return the time of day of an event."""
    return clean(str(event.get("time", "")))[11:19]


def facts(data: Any, room: int | None = None) -> Text:
    """Tell the data of an event: what somebody wrote and its status, or JSON where it is neither post nor comment.

    With `room`, in so many columns: what somebody wrote is cut short.
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
    """Wrap a text, indented; where it needs several lines, all but the first by `hang` more."""
    room = console.width - by
    lines = [text] if text.cell_len <= room else text.wrap(console, max(room - hang, 20))
    for line in lines:
        line.rstrip()
    margins = (" " * (by + (hang if number else 0)) for number in range(len(lines)))
    return Text("\n").join(Text(margin).append(line) for margin, line in zip(margins, lines, strict=True))


def code(source: str, language: str, by: int = 0) -> Iterator[Text]:
    """Show source, in colour; a line that is too long goes on a little further in."""
    for line in Syntax("", language, theme=THEME, background_color="default").highlight(source).split("\n"):
        margin = len(line.plain) - len(line.plain.lstrip())
        yield indented(line[margin:], by + margin, hang=4)


def event_line(event: dict[str, Any]) -> RenderableType:
    """Show an event on one line, and its note, if it has one, below."""
    kind = clean(event["type"])
    line = Text(f"{event.get('seq', ''):>6} {time_of(event):8} ", "dim")
    line.append(f"{kind:<16} ", COLOURS.get(kind, "magenta"))
    line.append(facts(event.get("data"), room=console.width - line.cell_len))
    return Group(line, *notes(event, indent=7))


def event_card(event: dict[str, Any]) -> RenderableType:
    """Show an event with all that people want to know of it, and its note."""
    kind = clean(event["type"])
    head = Text(f"#{event.get('seq', '')} ", "bold").append(kind, f"bold {COLOURS.get(kind, 'magenta')}")
    head.append(f"  from {clean(event.get('source', '')).removeprefix('/')}, {time_of(event)}", "dim")
    return Group(head, indented(facts(event.get("data")), by=2), *notes(event, indent=2), "")


def notes(event: dict[str, Any], indent: int) -> Iterator[RenderableType]:
    """Show the line for the instructor that an event of a story has."""
    if note := event.get("note"):
        yield indented(Text(f"▸ {clean(str(note))}", "italic"), by=indent, hang=2)


def differences(changes: list[dict[str, Any]]) -> Iterator[RenderableType]:
    """Show what is different between two states: where, and below it what was there and what is."""
    for change in changes:
        mark, colour = MARKS[change["change"]]
        place = " / ".join(clean(str(step)) for step in change["path"]) or "everything"
        yield indented(Text(f"{mark} ", f"bold {colour}").append(place, "bold"), by=2, hang=2)
        values = [clean(json_of(change[side])) for side in ("before", "after") if side in change]
        yield indented(Text(" → ".join(values), colour), by=4)


def standing(name: str, subscriber: dict[str, Any]) -> Text:
    """Tell in one line how a subscriber stands."""
    head = subscriber["position"] + subscriber["lag"]
    shown = clean(name)
    shown = set_cell_size(shown, max(cell_len(shown), 12))
    return Text(f"{shown} {clean(subscriber['state'])} at {subscriber['position']} of {head}")
