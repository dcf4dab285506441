"""The output of the commands: no control characters, lines that fit, the moves of a walk."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from minibus.cli import terminal
from minibus.cli.terminal import clean, code, differences, event_line, facts, indented, json_of, standing
from minibus.cli.walk import BACK, FIRST, LAST, NEXT, QUIT, moments
from rich.console import Console, RenderableType
from rich.text import Text


@pytest.fixture(autouse=True)
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(file=io.StringIO(), width=80, markup=False, highlight=False, emoji=False)
    monkeypatch.setattr(terminal, "console", console)
    return console


def shown(console: Console, *what: RenderableType) -> list[str]:
    with console.capture() as capture:
        for one in what:
            console.print(one)
    return capture.get().splitlines()


@pytest.mark.parametrize("control", ["\x1b", "\x07", "\r", "\x00", "\x7f", "\x9b", "\u202e", "\u2028"])
def test_a_control_character_is_replaced_or_escaped(control: str) -> None:
    assert clean(f"a{control}b") == "a\N{REPLACEMENT CHARACTER}b"
    assert control not in json_of({"title": control})
    assert msgspec.json.decode(json_of({"title": control})) == {"title": control}


def test_a_long_text_is_cut_short_and_its_status_is_not() -> None:
    text = facts({"content": "word " * 100, "status": "rejected"}, room=40)

    assert text.cell_len == 40
    assert text.plain.endswith("…  rejected")


def test_an_event_is_one_line_and_its_note_stands_below(console: Console) -> None:
    event = {"seq": 7, "type": "PostCreated", "time": "2026-03-02T09:00:41Z", "data": {"title": "世界 " * 50}}

    line, note, more = shown(console, event_line({**event, "note": "Look. " * 20}))

    assert line.startswith("     7 09:00:41 PostCreated      “世界")
    assert max(Text(line).cell_len, len(note), len(more)) <= 80
    assert (note[:9], more[:9]) == ("       ▸ ", " " * 9)


@pytest.mark.parametrize(("name", "line"), [("query", "query        live"), ("notifications", "notifications live")])
def test_the_line_of_a_subscriber_begins_with_its_whole_name(name: str, line: str) -> None:
    assert standing(name, {"state": "live", "position": 2, "lag": 1}).plain == f"{line} at 2 of 3"


def test_data_that_is_neither_post_nor_comment_shows_as_json() -> None:
    assert [facts(data).plain for data in (None, 7, {"title": 7})] == ["null", "7", '{"title":7}']


def test_a_long_text_is_wrapped_with_a_hanging_indent_and_a_short_one_is_not() -> None:
    assert indented(Text("x" * 78), by=2, hang=4).plain == "  " + "x" * 78
    assert indented(Text("word " * 20), by=2, hang=4).plain.splitlines()[1].startswith("      word")


def test_source_keeps_its_lines_and_its_margins() -> None:
    source = 'def f():\n    """Say."""\n\n    return 1\n'

    assert [line.plain.rstrip() for line in code(source, "python", by=2)][:4] == [
        "  def f():",
        '      """Say."""',
        "",
        "      return 1",
    ]


def test_a_difference_shows_place_and_values(console: Console) -> None:
    changes: list[dict[str, Any]] = [
        {"path": ["a", "b"], "change": "changed", "before": "pending", "after": "approved"},
        {"path": ["c"], "change": "added", "after": None},
        {"path": [], "change": "removed", "before": 1},
    ]

    assert shown(console, *differences(changes)) == [
        "  ~ a / b",
        '    "pending" → "approved"',
        "  + c",
        "    null",
        "  - everything",
        "    1",
    ]


@pytest.mark.parametrize(
    ("moves", "positions"),
    [
        ([], [1]),
        ([NEXT, NEXT, NEXT], [1, 2, 3]),
        ([BACK, BACK, NEXT], [1, 0, 0, 1]),
        ([LAST, BACK, FIRST], [1, 3, 2, 0]),
        ([NEXT, QUIT, NEXT], [1, 2]),
    ],
)
def test_a_walk_goes_both_ways_and_never_beyond_the_ends(moves: list[str], positions: list[int]) -> None:
    assert list(moments(1, 3, iter(moves))) == positions
