"""Print the verdicts: one line for each rule; below a ✗ what was expected, what was found, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from minibus.cli.terminal import clean
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.contract import CHAPTERS, LEVELS
from conformance.runner import BREAKS, HOLDS, NEEDS_CMD, UNKNOWN, Verdict

COLOURS = {HOLDS: "bold green", BREAKS: "bold red", UNKNOWN: "dim"}


def make_console(quiet: bool) -> Console:
    """Return a console of at most 100 columns. Markup is off: a service's answer must not style the report."""
    console = Console(markup=False, highlight=False, emoji=False, quiet=quiet)
    console.width = min(console.width, 100)
    return console


def print_verdicts(console: Console, verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Print each verdict as soon as it is known; return all of them."""
    printed: list[Verdict] = []
    for verdict in verdicts:
        if not printed or printed[-1].rule.level != verdict.rule.level:
            console.print()
            console.print(Text(f"{verdict.rule.level:<8}", "bold").append(LEVELS[verdict.rule.level], "not bold"))
        console.print(line(verdict, console.width))
        if verdict.broken:
            console.print(Padding(details(verdict), (0, 0, 1, 4)))
        printed.append(verdict)
    return printed


def line(verdict: Verdict, width: int) -> Text:
    """Return a verdict as one line."""
    rule = verdict.rule
    text = Text("  ").append(verdict.mark, COLOURS[verdict.mark]).append(f" {rule.title}")
    aside = verdict.reason or f"chapter {rule.chapter}"
    if text.cell_len + len(aside) + 2 > width:
        aside = aside.removeprefix("not checked: ")
    return text.append(" " * max(width - text.cell_len - len(aside), 2)).append(aside, "dim")


def details(verdict: Verdict) -> Table:
    """Return the table below a ✗: what is wrong, and what to do."""
    assert verdict.broken
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row("request", clean(verdict.broken.asked)) if verdict.broken.asked else None
    rows.add_row("expected", clean(verdict.broken.expected))
    rows.add_row("found", Text(clean(verdict.broken.found), "red"))
    if verdict.broken.note and not verdict.last_lines:
        rows.add_row("note", clean(verdict.broken.note))
    for index, line in enumerate(verdict.last_lines):
        rows.add_row("" if index else "last output", clean(line))
    rows.add_row("what to do", verdict.rule.advice)
    rows.add_row("read", f"chapter {verdict.rule.chapter}, {CHAPTERS[verdict.rule.chapter]}")
    return rows


def sum_up(console: Console, verdicts: list[Verdict]) -> None:
    """Print how many rules of each level hold, and how to check the others."""
    marks = {level: Counter(v.mark for v in verdicts if v.rule.level == level) for level in LEVELS}
    counts = [
        f"{level} {marks[level][HOLDS]} of {marks[level].total() - marks[level][UNKNOWN]} ✓"
        for level in LEVELS
        if marks[level]
    ]
    if unknown := sum(count[UNKNOWN] for count in marks.values()):
        counts.append(f"{unknown} not checked")
    console.print()
    console.print(Text(" · ".join(counts), "bold"))
    broken = [verdict.rule.title for verdict in verdicts if verdict.mark == BREAKS]
    if len(broken) > 1:
        console.print(f"Fix the first ✗ first, others may follow from it: {broken[0]}")
    if any(verdict.reason == NEEDS_CMD for verdict in verdicts):
        console.print(
            "To check the other rules, stop your service and add the command that starts it, such as "
            'CMD="node index.js". The checker then starts, kills and restarts it.'
        )


def as_objects(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Return the verdicts as objects, for the JSON output."""
    return [
        {
            "rule": verdict.rule.title,
            "level": verdict.rule.level,
            "chapter": verdict.rule.chapter,
            "holds": {HOLDS: True, BREAKS: False, UNKNOWN: None}[verdict.mark],
            **({"expected": verdict.broken.expected, "came": verdict.broken.found} if verdict.broken else {}),
            **({"reason": verdict.reason} if verdict.reason else {}),
        }
        for verdict in verdicts
    ]
