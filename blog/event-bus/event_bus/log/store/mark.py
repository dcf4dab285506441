"""The mark beside a log: how far it went when it was last answered, so that a log that has lost its end is noticed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class Mark:
    """A file of one line, a log's id and a number. Written after each commit and never waited for: only a help."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def read(self, log_id: str) -> int:
        """Return how far this log went, 0 where that is not known."""
        with suppress(OSError, ValueError):
            marked, number = os.pread(self._file, 100, 0).decode().split()
            return int(number) if marked == log_id else 0
        return 0

    def write(self, log_id: str, head: int) -> None:
        """Note how far this log goes."""
        with suppress(OSError):  # no room for it: then it is not known
            os.pwrite(self._file, f"{log_id} {head:020d}\n".encode(), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
