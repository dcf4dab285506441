"""A Flask app as every part of the mini-blog wants it: JSON by msgspec, the one error shape, probes, a quick stop."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Container, Iterator
from typing import Any

import msgspec
from flask import Flask, Request, Response, request
from flask.json.provider import JSONProvider
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import ClosingIterator

from minibus.core.printing import OneLine
from minibus.http.body import patient
from minibus.http.errors import ApiError, install_errors

MAX_FORM_BYTES = 64 * 1024

Parameters = MultiDict[str, str] | Headers | dict[str, str]


class MsgspecJSON(JSONProvider):
    """JSON by msgspec: strict when it reads, and it writes a whole state in one step that no other thread divides."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return msgspec.json.encode(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return msgspec.json.decode(s)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class WholeRequest(Request):
    """A request whose body is read whole, or refused."""

    def get_data(self, *args: Any, **kwargs: Any) -> Any:
        """Read the body. Raises 413, too, where it comes in chunks: Werkzeug cuts such a body off at the limit."""
        data = super().get_data(*args, **kwargs)
        if self.content_length is None and len(data) >= (self.max_content_length or 0):
            raise RequestEntityTooLarge
        return data


class Lifecycle:
    """What a part does beside answering requests: start in the worker, stop on SIGTERM."""

    def __init__(self) -> None:
        self.on_start: list[Callable[[], None]] = []
        self.on_stop: list[Callable[[], None]] = []
        self.stopping = threading.Event()
        self._busy = 0
        self._idle = threading.Condition()

    def start(self) -> None:
        """Start the background tasks."""
        handler = logging.StreamHandler()
        handler.setFormatter(OneLine("%(name)-10s %(message)s"))
        logging.basicConfig(level=logging.INFO, handlers=[handler])
        for start in self.on_start:
            start()

    def stop(self, patience: float = 1.0) -> None:
        """End streams and background tasks; give requests under way `patience` seconds."""
        self.stopping.set()
        for stop in self.on_stop:
            stop()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, patience)

    def every(self, seconds: float) -> bool:
        """Wait that long; false as soon as the part stops. `while every(2): …` is a background task."""
        return not self.stopping.wait(seconds)

    def tries(self, seconds: float) -> Iterator[bool]:
        """Count tries, a little later each, for about that long; true with the last one."""
        pause, deadline = 0.05, time.monotonic() + seconds
        while time.monotonic() + pause < deadline and self.every(pause):
            yield False
            pause = min(2 * pause, 0.5)
        yield True

    def __call__(self, wsgi: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a WSGI application so that `stop` knows what is under way."""

        def counted(environ: Any, start_response: Any) -> Any:
            with self._idle:
                self._busy += 1
            try:
                return ClosingIterator(wsgi(environ, start_response), self._done)
            except BaseException:
                self._done()
                raise

        return counted

    def _done(self) -> None:
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()


def create_app(import_name: str, **options: Any) -> Flask:
    """Make the Flask app of one part: errors in the one shape, `GET /healthz`, a `Lifecycle` in its extensions."""
    app = Flask(import_name, **options)
    app.request_class = WholeRequest
    app.json = MsgspecJSON(app)
    # Or `//events` would be answered with a redirect, in HTML.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    install_errors(app)
    life = app.extensions["minibus"] = Lifecycle()
    app.wsgi_app = life(patient(app.wsgi_app))  # type: ignore[method-assign]

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Say that this process is alive."""
        return {"status": "OK"}

    return app


def protect_page(response: Response, *origins: str) -> Response:
    """Let a page load and call nothing but its own, and these origins: what people write can never become a script."""
    response.headers["Content-Security-Policy"] = "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            " ".join(["connect-src 'self'", *origins]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def run(app: Flask, port: int, reload: bool = True) -> None:
    """Run one part alone, with reload; background tasks only in the reloader's child."""
    if not reload or os.environ.get("WERKZEUG_RUN_MAIN") == "true":
        app.extensions["minibus"].start()
    bind = os.environ.get("BIND", "127.0.0.1")
    app.config["TEMPLATES_AUTO_RELOAD"] = reload
    app.run(bind, int(os.environ.get("PORT", port)), use_reloader=reload, threaded=True)


def new_id(taken: Container[str] = ()) -> str:
    """Draw an id as the course does: 4 random bytes in hex, drawn again while it is taken.

    Of digits alone it never is: JavaScript moves such keys to the front of an object, and posts out of their order.
    """
    while (drawn := secrets.token_hex(4)) in taken or drawn.isdigit():
        pass
    return drawn


def json_object() -> dict[str, Any]:
    """Return the request's body, a JSON object. Raises 400, 413, 415, or 422 where it is something else."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise ApiError(422, "The body is a JSON object.")
    return body


def text(field: str, longest: int) -> str:
    """Return this text of the request's JSON object, trimmed, 1 to `longest` characters. Raises 422."""
    value = json_object().get(field)
    if value is None:
        raise ApiError(422, f"{field} is missing.", field)
    if not isinstance(value, str):
        raise ApiError(422, f"{field} must be text.", field)
    value = value.strip()
    if not value:
        raise ApiError(422, f"{field} must not be blank.", field)
    if len(value) > longest:
        raise ApiError(422, f"{field} has {len(value):,} characters; {longest:,} are allowed.", field)
    return value


def whole_number(field: str, given: Parameters) -> int | None:
    """Return this parameter as a whole number of at least 0, None where it is not given. Raises 422."""
    return _whole_number(field, given[field]) if field in given else None


def whole_numbers(field: str, given: Parameters) -> frozenset[int]:
    """Return this parameter, such as `7,9`, as whole numbers. Raises 422."""
    numbers = [number.strip() for number in given.get(field, "").split(",")]
    return frozenset(_whole_number(field, number) for number in numbers if number)


def _whole_number(field: str, number: str) -> int:
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise ApiError(422, f"{field} is a whole number of at least 0, not {number!r}.", field)
    return int(number)
