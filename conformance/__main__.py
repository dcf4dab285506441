"""`make conform SERVICE=posts URL=http://127.0.0.1:4000`; the exit code is 0 for all ✓, 1 for a ✗, 2 for no verdict."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
from minibus.cli.terminal import clean

from conformance.contract import LEVELS, Contract
from conformance.listeners import BusBench
from conformance.little_bus import LittleBus
from conformance.process import Process
from conformance.report import as_objects, make_console, sum_up, tell
from conformance.runner import BREAKS, IS_GONE, Verdict, try_all
from conformance.server import CannotCheck, is_taken, owner
from conformance.stand_in import BlogStandIn
from conformance.workbench import ServiceBench, Workbench

PORTS = {"posts": 4000, "comments": 4001, "query": 4002, "moderation": 4003, "event-bus": 4005, "client": 3000}


@click.command()
@click.option("--service", envvar="SERVICE", default="", help="Which role: " + ", ".join(PORTS))
@click.option("--url", envvar="URL", help="Where it answers; at its port of the course, if not given.")
@click.option("--cmd", envvar="CMD", help="What starts it: then it is started, killed and restarted, too.")
@click.option("--level", envvar="LEVEL", type=click.Choice(list(LEVELS)), help="Check one level only.")
@click.option("--bus", envvar="EVENT_BUS_URL", default="http://127.0.0.1:4005", help="Where its event bus has to be.")
@click.option("--query", envvar="QUERY_URL", default="http://127.0.0.1:4002", help="Where a page's query has to be.")
@click.option("--listen", envvar="LISTEN", default="4000,4001,4002,4003", help="Where an event bus sends to: ports.")
@click.option("--patience", envvar="PATIENCE", default=5.0, help="Seconds to wait for what has to come.")
@click.option("--json", "in_json", envvar="JSON", is_flag=True, help="Speak JSON.")
def main(service: str, url: str | None, level: str | None, in_json: bool, **given: Any) -> None:
    """Check a service of the blog against the course's contract, in whatever language it is written."""
    console = make_console(quiet=in_json)
    verdicts: list[Verdict] = []
    it = None
    try:
        if service not in PORTS:
            raise CannotCheck(f"SERVICE is {service or 'missing'}, but has to be one of: {', '.join(PORTS)}.")
        it = workbench(service, read_url(url or f"http://127.0.0.1:{PORTS[service]}"), console.print, **given)
        console.print(f"{service} at {it.url}", style="bold")
        console.print(it.surroundings)
        it.open()
        verdicts = tell(console, try_all(contract(service), it, level))
        sum_up(console, verdicts)
    except CannotCheck as problem:
        print_problem(problem, it)
        sys.exit(2)
    finally:
        if it:
            it.close()
    if in_json:
        click.echo(msgspec.json.encode(as_objects(verdicts)))
    if verdicts[-1].reason == IS_GONE:
        sys.exit(2)
    sys.exit(any(verdict.mark == BREAKS for verdict in verdicts))


def contract(role: str) -> Contract[Any]:
    """Return the rules of a role; those of the page need a library that drives a browser, and nobody else does."""
    name = role.replace("-", "_")
    return getattr(import_module(f"conformance.{name}"), name)


def workbench(
    service: str,
    url: str,
    say: Callable[[str], None],
    cmd: str | None,
    bus: str,
    query: str,
    listen: str,
    patience: float,
) -> Workbench:
    """Set up what the service is checked on. Raises `CannotCheck`."""
    port = urlsplit(url).port or 80
    process = None
    if cmd:
        if is_taken(port):
            raise CannotCheck(
                f"Port {port} is in use by {owner(port)}, and {cmd!r} has to listen there. "
                "End what runs, or leave out CMD to check what is there."
            )
        process = Process(cmd, PORT=str(port), EVENT_BUS_URL=bus, QUERY_URL=query)
    given = (url, process, patience, say)
    if service == "event-bus":
        return BusBench([int(number) for number in listen.split(",")], *given)
    if service == "client":
        return import_module("conformance.browser").ClientBench(BlogStandIn(read_url(query)), *given)
    return ServiceBench(LittleBus(read_url(bus), url, patience), *given)


def read_url(url: str) -> str:
    """Return an address without a slash at its end. Raises `CannotCheck`."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise CannotCheck(f"{url} is no address such as http://127.0.0.1:4000.")
    return url.rstrip("/")


def print_problem(problem: CannotCheck, it: Workbench | None) -> None:
    """Say why nothing can be checked, and what the service said last."""
    click.echo(f"Cannot check: {problem}", err=True)
    if it and it.process:
        for words in it.process.last_words():
            click.echo(f"  it said: {clean(words)}", err=True)


if __name__ == "__main__":
    main()
