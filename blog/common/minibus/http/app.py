"""The Flask app of a part: JSON by msgspec, one error shape, a liveness probe, a quick stop."""

from __future__ import annotations

import os
from typing import Any

import msgspec
from flask import Flask, Request
from flask.json.provider import JSONProvider
from werkzeug.exceptions import RequestEntityTooLarge

from minibus.http.body import patient
from minibus.http.errors import install_errors
from minibus.http.lifecycle import Lifecycle

MAX_FORM_BYTES = 64 * 1024


class MsgspecJSON(JSONProvider):
    """Read and write JSON by msgspec. Encoding never yields to another greenlet, so a state cannot change half-way."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return msgspec.json.encode(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        try:
            return msgspec.json.decode(s)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class WholeRequest(Request):
    """A request whose body is either read to its end or rejected."""

    def get_data(self, *args: Any, **kwargs: Any) -> Any:
        """Read the body. Raises 413 for a chunked body over the limit, too: Werkzeug alone would cut it off."""
        data = super().get_data(*args, **kwargs)
        if self.content_length is None and len(data) >= (self.max_content_length or 0):
            raise RequestEntityTooLarge
        return data


def create_app(import_name: str, **options: Any) -> Flask:
    """Make the Flask app of one part: errors in the one shape, `GET /healthz`, a `Lifecycle` in its extensions."""
    app = Flask(import_name, **options)
    app.request_class = WholeRequest
    app.json = MsgspecJSON(app)
    # With merged slashes, Flask answers `//events` with a redirect, in HTML.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    install_errors(app)
    life = app.extensions["minibus"] = Lifecycle()
    app.wsgi_app = life.count_requests(patient(app.wsgi_app))  # type: ignore[method-assign]

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Answer as long as this process is alive."""
        return {"status": "OK"}

    return app


def run(app: Flask, port: int, reload: bool = True) -> None:
    """Run one part alone, with reload; background tasks run only in the reloader's child."""
    if not reload or os.environ.get("WERKZEUG_RUN_MAIN") == "true":
        app.extensions["minibus"].start()
    bind = os.environ.get("BIND", "127.0.0.1")
    app.config["TEMPLATES_AUTO_RELOAD"] = reload
    app.run(bind, int(os.environ.get("PORT", port)), use_reloader=reload, threaded=True)
