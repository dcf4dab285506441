"""`walk`: go through the log event by event, both ways. Running services stay as they are."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.text import Text

from minibus.bus.client import BusClient
from minibus.cli.options import as_json, asks_the_bus, one_name
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
FOR_THE_CONSOLE = {"state", "entities", "chain"}  # in the answer of the bus
HELP = "space next · b back · g first · G last · q quit"


@click.command()
@one_name
@click.option("--step", "stepwise", is_flag=True, help="Wait for a key after each event; keys may come from a pipe.")
@click.option("--from", "begin", type=click.IntRange(0), default=0, show_default=True, help="Begin after this event.")
@as_json
@asks_the_bus
def walk(bus: BusClient, name: str, stepwise: bool, begin: int, as_json: bool) -> None:
    """Walk through the log: each event, its handler, its changes.

    The service itself does not move. To step the running service: minibus pause, minibus step.

    \b
    Keys with --step (any arrow works, too):
      space, n   the next event         g   the beginning       q   quit
      b, p       one event back         G   the end

    \b
    Examples:
      minibus walk query --step
      minibus walk query --from 50
      echo nnnb | minibus walk query --step
    """
    past = Past(bus, name)
    moves = keys() if stepwise else iter([NEXT] * past.head)
    for at in moments(begin, past.head, moves):
        moment = past.moment(at)
        if as_json:
            print_json(moment)
            continue
        if stepwise and console.is_terminal:
            console.clear()
        console.print(past.show(moment))
        if stepwise and console.is_terminal:
            console.print(Text(HELP, "dim"))


@click.command(hidden=True, params=walk.params, help=walk.help)
def replay(**arguments: Any) -> None:
    """Walk, under the name that this command had before."""
    click.echo("minibus replay is called minibus walk now; the old name still works.", err=True)
    assert walk.callback
    walk.callback(**arguments)


def moments(begin: int, head: int, moves: Iterator[str]) -> Iterator[int]:
    """Yield the positions to show: the first one, then the goal of each move. Stay between 0 and the head."""
    at = min(begin, head)
    yield at
    for move in moves:
        goal = {NEXT: at + 1, BACK: at - 1, FIRST: 0, LAST: head}.get(move)
        if goal is None or (move == NEXT and at == head):
            return
        at = max(goal, 0)
        yield at


def keys() -> Iterator[str]:
    """Yield the moves of the pressed keys, read from the terminal, or character by character from a pipe."""
    # One read returns several keys when a key is held down.
    while pressed := click.getchar() if sys.stdin.isatty() else sys.stdin.read(1):
        for key in ONE_KEY.findall(pressed):
            if key in KEYS:
                yield KEYS[key]


class Past:
    """The moments of one service, read from the bus."""

    def __init__(self, bus: BusClient, name: str) -> None:
        self.bus = bus
        self.name = name
        self.head = bus.head()
        self.title = str(bus.ask("GET", "/events/1").get("story", "")) if self.head else ""

    def moment(self, at: int) -> dict[str, Any]:
        """Return an event, its handler, and its changes, by one request."""
        moment = self.bus.moment(self.name, at, last=0)
        return {key: value for key, value in moment.items() if key not in FOR_THE_CONSOLE}

    def show(self, moment: dict[str, Any]) -> RenderableType:
        """Show a moment on one screen."""
        head = Rule(Text(f"{clean(self.name)}: {moment['at']} of {self.head}", "bold"), align="left", style="dim")
        if not moment["event"]:
            title = [Text(clean(self.title), "italic")] if self.title else []
            return Group(head, *title, Text("Before event 1: the state is empty."), "")
        return Group(head, event_card(moment["event"]), *self._work(moment), "")

    def _work(self, moment: dict[str, Any]) -> Iterator[RenderableType]:
        """Show the handler and its changes."""
        handler, kind = moment["handler"], clean(moment["event"]["type"])
        if handler is None:
            yield Text(f"{clean(self.name)} has no handler for {kind}, so its state stays the same.", "dim")
            return
        yield Text(f"{clean(handler['file'])}:{handler['line']}  {clean(handler['name'])}", "bold")
        source = "\n".join(map(clean, handler["source"].rstrip().split("\n")))
        yield from code(source, "python", by=2)
        yield ""
        if moment["at"] in moment["skipped"]:
            yield Text("Skipped: the handler raises an error on this event.", "red")
        yield Text(f"{clean(self.name)}: {count(moment)}", "bold")
        yield from differences(moment["changes"])
