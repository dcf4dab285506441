"""gunicorn's settings for every part: `gunicorn -c blog/common/gunicorn.conf.py posts:app`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import gevent

bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
# State lives in one process; a connection that only listens costs a greenlet.
workers = 1
worker_class = "gevent"
worker_connections = 10_000
keepalive = 30
timeout = 30
graceful_timeout = 3
control_socket_disable = True
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Let the bus try its store before anything runs: what is wrong with it takes one line to say."""
    if server.app.app_uri.startswith("event_bus"):
        # Nothing else of ours is imported here: gevent patches the worker, after the fork.
        from event_bus.store import StoreError, open_store  # noqa: PLC0415

        try:
            open_store().close()
        except StoreError as error:
            sys.exit(f"event-bus: {error}")


def post_worker_init(worker: Any) -> None:
    """Start the background tasks in the worker, and end them, streams too, as soon as SIGTERM comes."""
    life = worker.app.callable.extensions["minibus"]

    def stop() -> None:
        life.stop()
        sys.exit(0)

    def on_sigterm(signum: int, frame: Any) -> None:
        worker.alive = False
        gevent.spawn(stop)

    signal.signal(signal.SIGTERM, on_sigterm)
    life.start()
