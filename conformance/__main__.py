"""Run the checker: `make conform SERVICE=posts`. The exit code is 0 for all ✓, 1 for a ✗, 2 for no verdict."""

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
from conformance.listeners import NAMES, BusBench
from conformance.little_bus import LittleBus
from conformance.process import Process
from conformance.report import as_objects, make_console, print_verdicts, sum_up
from conformance.runner import BREAKS, IS_GONE, Verdict, try_all
from conformance.server import CannotCheck, is_in_use, owner
from conformance.stand_in import BlogStandIn
from conformance.workbench import ServiceBench, Workbench
from infra import parts

ROLES = (*NAMES, "event-bus", "client")
LISTEN = ",".join(str(parts.PORTS[name]) for name in NAMES)


@click.command()
@click.option("--service", envvar="SERVICE", default="", help="Which role: " + ", ".join(ROLES))
@click.option("--url", envvar="URL", help="The address of the service; default: its port in the course.")
@click.option("--cmd", envvar="CMD", help="The command that starts the service; the checker then restarts it, too.")
@click.option("--level", envvar="LEVEL", type=click.Choice(list(LEVELS)), help="Check one level only.")
@click.option("--bus", envvar="EVENT_BUS_URL", default=parts.url("event-bus"), help="The address of the checker's bus.")
@click.option("--query", envvar="QUERY_URL", default=parts.url("query"), help="The address of the checker's query.")
@click.option("--listen", envvar="LISTEN", default=LISTEN, help="The ports that an event bus delivers to.")
@click.option("--patience", envvar="PATIENCE", default=5.0, help="Seconds to wait for an expected result.")
@click.option("--json", "in_json", envvar="JSON", is_flag=True, help="Print the verdicts as JSON.")
def main(service: str, url: str | None, level: str | None, in_json: bool, **given: Any) -> None:
    """Check a service of the blog, in any language, against the course's contract."""
    console = make_console(quiet=in_json)
    verdicts: list[Verdict] = []
    it = None
    try:
        if service not in ROLES:
            raise CannotCheck(f"SERVICE is {service or 'missing'}. Set it to one of: {', '.join(ROLES)}.")
        it = workbench(service, read_url(url or parts.url(service)), console.print, **given)
        console.print(f"{service} at {it.url}", style="bold")
        console.print(it.surroundings)
        it.open()
        verdicts = print_verdicts(console, try_all(contract(service), it, level))
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
    """Return the rules of a role. Import them late: only the rules of the client need a browser's library."""
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
    """Make the workbench for a role, without starting it. Raises `CannotCheck`."""
    port = urlsplit(url).port or 80
    process = None
    if cmd:
        if is_in_use(port):
            raise CannotCheck(
                f"Port {port} is in use by {owner(port)}, and {cmd!r} needs it. "
                "End that program, or leave out CMD to check it."
            )
        process = Process(cmd, PORT=str(port), EVENT_BUS_URL=bus, QUERY_URL=query)
    given = (url, process, patience, say)
    if service == "event-bus":
        return BusBench([int(number) for number in listen.split(",")], *given)
    if service == "client":
        return import_module("conformance.browser").ClientBench(BlogStandIn(read_url(query)), *given)
    return ServiceBench(LittleBus(read_url(bus), url, patience), *given)


def read_url(url: str) -> str:
    """Check an address, and return it without a slash at its end. Raises `CannotCheck`."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise CannotCheck(f"{url} is not an HTTP address. Write it like http://127.0.0.1:4000.")
    return url.rstrip("/")


def print_problem(problem: CannotCheck, it: Workbench | None) -> None:
    """Print why nothing can be checked, and the service's last output."""
    click.echo(f"Cannot check: {problem}", err=True)
    if it and it.process:
        for line in it.process.last_lines():
            click.echo(f"  last output: {clean(line)}", err=True)


if __name__ == "__main__":
    main()
