"""The body of a request: waited for, but not for ever; one that breaks off is its sender's mistake, never ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any

import gevent
from gevent import monkey
from gunicorn.http.errors import ParseException

from minibus.http.errors import ApiError

PATIENCE = 30.0  # seconds for each piece that is asked for, 64 KiB mostly


class Body:
    """A WSGI input that raises `ApiError`: 408 where it stalls or trickles, 400 where it is not what HTTP wants."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def read(self, size: int = -1) -> bytes:
        """Read that many bytes, fewer at the end."""
        try:
            with at_most(PATIENCE, ApiError(408, f"The body took longer than {PATIENCE:.0f} s; nothing was stored.")):
                return self.stream.read(size)
        except (ParseException, OSError):
            raise ApiError(400, "The body breaks off, or is not cut into chunks as HTTP wants it.") from None


def patient(wsgi: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a WSGI application so that it reads its requests' bodies in this way."""

    def reading(environ: Any, start_response: Any) -> Any:
        environ["wsgi.input"] = Body(environ["wsgi.input"])
        return wsgi(environ, start_response)

    return reading


def at_most(seconds: float, error: Exception) -> AbstractContextManager[Any]:
    """Raise this error where the block takes longer, as far as gevent runs it; elsewhere nobody can interrupt it."""
    return gevent.Timeout(seconds, error) if monkey.is_module_patched("threading") else nullcontext()
