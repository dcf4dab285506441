"""The options that all commands have, and their exit codes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from minibus.bus.client import BusAway, BusClient, BusRefused

Command = TypeVar("Command", bound=Callable[..., None])

DEFAULT = "http://127.0.0.1:4005"
TIMEOUT = (2.0, 60.0)  # seconds to connect, and for each piece of the answer; a stream sends one every 15


class Refused(click.ClickException):
    """The bus rejects the request: exit code 1."""

    exit_code = 1


class Away(click.ClickException):
    """The bus or the service is away; a later try may succeed: exit code 3."""

    exit_code = 3


def asks_the_bus(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option `--bus`, and a client of this bus."""

    @click.option(
        "--bus", "url", envvar="EVENT_BUS_URL", default=DEFAULT, show_default=True, help="The URL of the bus."
    )
    @functools.wraps(command)
    def with_bus(url: str, **arguments: Any) -> None:
        command(bus=BusClient(url, TIMEOUT), **arguments)

    return with_bus


def as_json(command: Command) -> Command:
    """Give a command the option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(command)


def complete_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the subscribers that the bus knows now."""
    try:
        names = BusClient(context.params.get("url") or DEFAULT, TIMEOUT).subscribers()
    except (BusAway, BusRefused):
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def one_name(command: Command) -> Command:
    """Give a command the name of a subscriber."""
    return click.argument("name", shell_complete=complete_names)(command)


def names_or_all(command: Command) -> Command:
    """Give a command the names of subscribers, none for all."""
    return click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_names)(command)
