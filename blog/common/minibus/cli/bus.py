"""The bus as the commands ask it, and the options that all of them have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import click
import msgspec
import requests
from click.shell_completion import CompletionItem

from minibus.bus.client import BusAway, BusRefused
from minibus.bus.session import new_session
from minibus.bus.token import HEADERS

Command = TypeVar("Command", bound=Callable[..., None])

DEFAULT = "http://127.0.0.1:4005"
LINES = "application/x-ndjson"
CONNECT, ANSWER = 2.0, 60.0  # seconds; a stream says something every 15


class Refused(click.ClickException):
    """The answer is no: exit code 1."""

    exit_code = 1


class Away(click.ClickException):
    """Who would have to answer is away, and trying again later may help: exit code 3."""

    exit_code = 3


class Bus:
    """The bus at `url`. Every method raises `BusAway` or `BusRefused`, with a message for people."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.session = new_session()

    def open(self, method: str, path: str, headers: dict[str, str] | None = None, **request: Any) -> requests.Response:
        """Make a request; return a good answer, whose body is still to be read. The caller closes it."""
        request = {"timeout": (CONNECT, ANSWER), **request}
        try:
            answer = self.session.request(
                method, self.url + path, headers=HEADERS | (headers or {}), stream=True, **request
            )
        except requests.RequestException as error:
            hint = "Start it with make up, or name another one with --bus."
            raise BusAway(f"No answer from {self.url}. {hint}") from error
        if answer.ok:
            return answer
        with answer:
            message = message_of(answer)
        raise BusAway(message) if answer.status_code >= 500 else BusRefused(answer.status_code, message)

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Ask for JSON, with a JSON body if there is one; what is None is left out of the query."""
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        with self.open(method, path + ("?" + urlencode(given) if given else ""), json=body) as answer:
            return read(answer)

    def head(self) -> int:
        """Return the number of the last event, 0 in an empty log."""
        with self.open("GET", "/log") as answer:
            return int(msgspec.json.decode(next(answer.iter_lines()))["events"])


def read(answer: requests.Response) -> Any:
    """Return the JSON of an answer."""
    try:
        return msgspec.json.decode(answer.content)
    except (ValueError, requests.RequestException) as error:
        raise BusAway(f"{answer.url} does not answer as a bus does: {error}") from error


def message_of(answer: requests.Response) -> str:
    """Return what an answer that refuses says to people."""
    try:
        return str(answer.json()["errors"][0]["message"])
    except (ValueError, LookupError, TypeError, requests.RequestException):
        return f"{answer.url} answers {answer.status_code}, and not as a bus does"


def of(name: str, what: str = "") -> str:
    """Return the path of a subscriber, or of something that it has."""
    return f"/subscribers/{quote(name, safe='')}{what}"


def asks_the_bus(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option `--bus`, and a `Bus` for it."""

    @click.option("--bus", "url", envvar="EVENT_BUS_URL", default=DEFAULT, show_default=True, help="Where the bus is.")
    @functools.wraps(command)
    def with_bus(url: str, **arguments: Any) -> None:
        command(bus=Bus(url), **arguments)

    return with_bus


def as_json(command: Command) -> Command:
    """Give a command the option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(command)


def complete_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the subscribers that the bus knows now."""
    try:
        names = Bus(context.params.get("url") or DEFAULT).ask("GET", "/subscribers")
    except (BusAway, BusRefused):
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def one_name(command: Command) -> Command:
    """Give a command the name of a subscriber."""
    return click.argument("name", shell_complete=complete_names)(command)


def names_or_all(command: Command) -> Command:
    """Give a command the names of subscribers, none for all."""
    return click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_names)(command)
