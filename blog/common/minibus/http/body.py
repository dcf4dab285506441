"""Read the body of a request with a time limit; a body that breaks off is an error of the client (4xx)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any

import gevent
from gevent import monkey
from gunicorn.http.errors import ParseException

from minibus.http.errors import ApiError

PATIENCE = 30.0  # seconds for each read, mostly of 64 KiB


class Body:
    """A WSGI input that raises `ApiError`: 408 for a body that is too slow, 400 for one that breaks HTTP's rules."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def read(self, size: int = -1) -> bytes:
        """Read this many bytes, fewer at the end."""
        try:
            with at_most(PATIENCE, ApiError(408, f"The body took longer than {PATIENCE:.0f} s; nothing was stored.")):
                return self.stream.read(size)
        except (ParseException, OSError):
            raise ApiError(400, "The body breaks off, or its chunks break the rules of HTTP.") from None


def patient(wsgi: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a WSGI application so that it reads each request's body as a `Body`."""

    def reading(environ: Any, start_response: Any) -> Any:
        environ["wsgi.input"] = Body(environ["wsgi.input"])
        return wsgi(environ, start_response)

    return reading


def at_most(seconds: float, error: Exception) -> AbstractContextManager[Any]:
    """Raise this error if the block takes longer. Only gevent can interrupt a read, so there is no limit without it."""
    return gevent.Timeout(seconds, error) if monkey.is_module_patched("threading") else nullcontext()
