"""The mark beside a log: the head that the bus last acknowledged. It reveals a log that has lost its end."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class Mark:
    """A file of one line: a log's id and its head. Written after each commit without fsync, so it may be too low."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def read(self, log_id: str) -> int:
        """Return the head that was last acknowledged for this log, 0 if unknown."""
        with suppress(OSError, ValueError):
            marked, number = os.pread(self._file, 100, 0).decode().split()
            return int(number) if marked == log_id else 0
        return 0

    def write(self, log_id: str, head: int) -> None:
        """Write the head of this log."""
        # A full disk must not fail a commit that succeeded: without a mark, the head is unknown.
        with suppress(OSError):
            os.pwrite(self._file, f"{log_id} {head:020d}\n".encode(), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
