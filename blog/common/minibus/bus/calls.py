"""Requests to the event bus, and their failures: one place for the errors of every client of the bus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin

import msgspec
import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from minibus.bus.session import new_session
from minibus.bus.token import HEADERS

S = TypeVar("S")

NOT_IMPLEMENTED = 501  # the same request would fail again
TIMEOUT = (1.0, 10.0)  # seconds to connect, and for each piece of the answer


class BusAway(Exception):
    """The bus cannot answer now (5xx, or no answer at all); a later try may succeed.

    `maybe_stored`: the request may have reached the bus (an indefinite error).
    """

    def __init__(self, message: str, maybe_stored: bool = False) -> None:
        super().__init__(message)
        self.maybe_stored = maybe_stored


class NoAnswer(BusAway):
    """No answer came from the bus's URL."""


class BusRefused(Exception):
    """The bus rejects the request (4xx or 501), with a message of its own; the same request would fail again."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Caller:
    """Make requests to the bus at `url`. Every method raises `BusAway` or `BusRefused`."""

    def __init__(self, url: str, timeout: tuple[float, float] = TIMEOUT) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._session = new_session()

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Make a request, with a JSON body unless it is None; return the JSON of the answer.

        The query leaves out every parameter that is None; `from_` stands for `from`.
        """
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        return read(self.send(method, path + ("?" + urlencode(given) if given else ""), body), Any)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Make a request with this JSON body; return its whole answer."""
        if body is not None:
            options["data"] = msgspec.json.encode(body)
        with self.open(method, path, stream=False, **options) as answer:
            return answer

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        media_type: str = "application/json",
        data: bytes | Iterable[bytes] | None = None,
        stream: bool = True,
        timeout: tuple[float, float] | None = None,
    ) -> Iterator[requests.Response]:
        """Make a request; with `stream`, its answer is still to be read."""
        headers = HEADERS | (headers or {}) | ({"Content-Type": media_type} if data is not None else {})
        url = urljoin(f"{self.url}/", path.removeprefix("/"))
        try:
            answer = self._session.request(
                method, url, data=data, headers=headers, timeout=timeout or self.timeout, stream=stream
            )
        except requests.RequestException as error:
            raise NoAnswer(f"No answer from {self.url}.", maybe_stored=not _never_connected(error)) from error
        with answer:
            if answer.status_code >= 500 and answer.status_code != NOT_IMPLEMENTED:
                raise BusAway(_message(answer), maybe_stored=answer.status_code != 503)
            if answer.status_code >= 400:
                raise BusRefused(answer.status_code, _message(answer))
            yield answer


def read(answer: requests.Response, shape: type[S], body: bytes | None = None) -> S:
    """Return the JSON of an answer, or of a part of its body, in this shape. Raises `BusAway`."""
    try:
        return msgspec.json.decode(answer.content if body is None else body, type=shape)
    except (ValueError, RecursionError) as error:
        raise BusAway(f"{answer.url} does not answer as the event bus does: {error}") from error


@contextmanager
def breaks_off(message: str) -> Iterator[None]:
    """Raise `BusAway` if the answer breaks off while it is read."""
    try:
        yield
    except requests.RequestException as error:
        raise BusAway(message) from error


def _never_connected(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _message(answer: requests.Response) -> str:
    """Return the error message of the bus, or name the request if there is none."""
    try:
        return str(answer.json()["errors"][0]["message"])
    except (ValueError, LookupError, TypeError, requests.RequestException):
        asked = f"{answer.request.method} {answer.url}"
        return f"{asked} answered {answer.status_code} without a message. Is this the event bus?"
