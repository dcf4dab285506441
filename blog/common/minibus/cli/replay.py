"""`replay`: go through the log event by event, both ways. It only looks: what runs is not touched."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from minibus.cli.bus import Bus, as_json, asks_the_bus, of, one_name
from minibus.cli.past import count
from minibus.cli.terminal import clean, code, console, differences, event_card, print_json

NEXT, BACK, FIRST, LAST, QUIT = "next", "back", "first", "last", "quit"
KEYS = {
    **dict.fromkeys((" ", "\r", "n", "\x1b[C", "\x1b[B"), NEXT),  # the right arrow, the one down
    **dict.fromkeys(("b", "p", "\x7f", "\x1b[D", "\x1b[A"), BACK),
    **dict.fromkeys(("g", "\x1b[H", "\x1b[1~"), FIRST),  # Home, as terminals send it
    **dict.fromkeys(("G", "\x1b[F", "\x1b[4~"), LAST),
    **dict.fromkeys(("q", "\x04", "\x1b"), QUIT),
}
ONE_KEY = re.compile(r"\x1b\[\d*[A-Z~]|.", re.DOTALL)
HELP = "space next · b back · g first · G last · q quit"


@click.command()
@one_name
@click.option("--step", "stepwise", is_flag=True, help="Wait for a key after each event; keys may come from a pipe.")
@click.option("--from", "begin", type=click.IntRange(0), default=0, show_default=True, help="Begin after this event.")
@as_json
@asks_the_bus
def replay(bus: Bus, name: str, stepwise: bool, begin: int, as_json: bool) -> None:
    """Show what each event does to a service, handler by handler.

    This looks back only. To step the running service: minibus pause, minibus step.

    \b
    Keys with --step (any arrow works, too):
      space, n   the next event         g   the beginning       q   quit
      b, p       one event back         G   the end

    \b
    Examples:
      minibus replay query --step
      minibus replay query --from 50
      echo nnnb | minibus replay query --step
    """
    past = Past(bus, name)
    moves = keys() if stepwise else iter([NEXT] * past.head)
    for moment in walk(begin, past.head, moves):
        if as_json:
            print_json(past.moment(moment))
        else:
            if stepwise and console.is_terminal:
                console.clear()
            console.print(past.show(moment))
            if stepwise and console.is_terminal:
                console.print(Text(HELP, "dim"))


def walk(begin: int, head: int, moves: Iterator[str]) -> Iterator[int]:
    """Yield the moments to show: where it begins, and where each move leads. Never before 0 or beyond the head."""
    at = min(begin, head)
    yield at
    for move in moves:
        goal = {NEXT: at + 1, BACK: at - 1, FIRST: 0, LAST: head}.get(move)
        if goal is None or (move == NEXT and at == head):
            return
        at = max(goal, 0)
        yield at


def keys() -> Iterator[str]:
    """Yield what the keys mean, from the terminal, or, where the input is a pipe, from its characters."""
    # Who types fast, or holds a key down, is read several keys at once.
    while pressed := click.getchar() if sys.stdin.isatty() else sys.stdin.read(1):
        for key in ONE_KEY.findall(pressed):
            if key in KEYS:
                yield KEYS[key]


class Past:
    """The history of one service, as the bus tells it."""

    def __init__(self, bus: Bus, name: str) -> None:
        self.bus = bus
        self.name = name
        self.head = bus.head()
        self.handlers: dict[str, Any] = bus.ask("GET", of(name, "/handlers"))
        self.title = str(bus.ask("GET", "/events/1").get("story", "")) if self.head else ""

    def moment(self, at: int) -> dict[str, Any]:
        """Return an event, its handler, and what changed."""
        if at == 0:
            return {"at": 0, "event": None, "handler": None, "changes": [], "skipped": []}
        event = self.bus.ask("GET", f"/events/{at}")
        changed = self.bus.ask("GET", of(self.name, "/changes"), to=at)
        return {"at": at, "event": event, "handler": self.handlers.get(event["type"]), **changed}

    def show(self, at: int) -> RenderableType:
        """Show a moment on one screen."""
        moment = self.moment(at)
        head = Rule(Text(f"{clean(self.name)}: {at} of {self.head}", "bold"), align="left", style="dim")
        if at == 0:
            title = [Text(clean(self.title), "italic")] if self.title else []
            return Group(head, *title, Text("Nothing has happened yet; the state is empty."), "")
        return Group(head, event_card(moment["event"]), *self._work(moment), "")

    def _work(self, moment: dict[str, Any]) -> Iterator[RenderableType]:
        """Show the handler, and what it changed."""
        handler, kind = moment["handler"], clean(moment["event"]["type"])
        if handler is None:
            yield Text(f"{clean(self.name)} has no handler for {kind}: nothing changes.", "dim")
            return
        yield Text(f"{clean(handler['file'])}:{handler['line']}  {clean(handler['name'])}", "bold")
        source = "\n".join(map(clean, handler["source"].rstrip().split("\n")))
        yield from code(source, "python", by=2)
        yield ""
        if moment["at"] in moment["skipped"]:
            yield Text("Left out: the handler raises on this event.", "red")
        yield Text(f"{clean(self.name)}: {count(moment)}", "bold")
        yield from differences(moment["changes"])
