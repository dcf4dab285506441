"""Checkpoints: states along one fold of one log, so that a look back folds few events, however long the log is."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import msgspec

SPACING = 1000  # events between two checkpoints, as long as there is room
ROOM = 64 * 1024 * 1024  # bytes
RECENT = 4  # moments that were looked at last: the next look is often one step away


class Checkpoints:
    """Encoded states, evenly spaced; twice as far apart when they outgrow their room."""

    def __init__(self, room: int = ROOM, spacing: int = SPACING) -> None:
        self.room = room
        self.spacing = spacing
        self.refused: set[int] = set()  # events whose handler raises: left out, as the bus parks them
        self._states: dict[int, bytes] = {}
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)
        self._lock = threading.Lock()

    def note(self, position: int, state: Any) -> None:
        """Keep this state if it is a checkpoint's turn."""
        if position % self.spacing or position in self._states:
            return
        encoded = msgspec.json.encode(state)
        with self._lock:
            self._states[position] = encoded
            while sum(map(len, self._states.values())) > self.room:
                self.spacing *= 2
                self._states = {place: kept for place, kept in self._states.items() if place % self.spacing == 0}

    def remember(self, position: int, encoded: bytes) -> None:
        """Keep a state that somebody has just looked at."""
        with self._lock:
            self._recent.append((position, encoded))

    def before(self, position: int) -> tuple[int, bytes | None]:
        """Return the nearest known state at or before this position; `(0, None)` is the empty one."""
        with self._lock:
            known = [(place, kept) for place, kept in (*self._states.items(), *self._recent) if place <= position]
        return max(known, key=lambda entry: entry[0], default=(0, None))
