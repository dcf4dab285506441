"""The life of a part: it starts background tasks in the worker, and stops on SIGTERM."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.wsgi import ClosingIterator

from minibus.core.printing import escaped


class Lifecycle:
    """Start and stop what a part does beside answering requests. `stopping` is set as soon as the part stops."""

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
        """End streams and background tasks; wait at most `patience` seconds for requests in progress."""
        self.stopping.set()
        for stop in self.on_stop:
            stop()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, patience)

    def tries(self, seconds: float) -> Iterator[bool]:
        """Yield once for each try during about `seconds`, with growing pauses; true for the last try."""
        pause, deadline = 0.05, time.monotonic() + seconds
        while time.monotonic() + pause < deadline and not self.stopping.wait(pause):
            yield False
            pause = min(2 * pause, 0.5)
        yield True

    def count_requests(self, wsgi: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a WSGI application so that `stop` knows how many requests are in progress."""

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


class OneLine(logging.Formatter):
    """Format each message as one line without control characters; only a traceback has more lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format the message."""
        return super().formatMessage(record).replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        """Format the message and its traceback."""
        return escaped(super().format(record))
