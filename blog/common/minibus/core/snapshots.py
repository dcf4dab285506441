"""Snapshots: saved states along one fold of one log, so that a look back folds few events in a long log."""

from __future__ import annotations

from collections import deque

SPACING = 1000  # events between two snapshots, while there is room
ROOM = 64 * 1024 * 1024  # bytes
RECENT = 4  # states of the last look backs: the next one is often one event away


class Snapshots:
    """Encoded states at even distances; the distance doubles when they outgrow their room. It has no lock."""

    def __init__(self, room: int = ROOM, spacing: int = SPACING) -> None:
        self.room = room
        self.spacing = spacing
        self.rejected: set[int] = set()  # events whose handler raises: left out, as the bus parks them
        self._states: dict[int, bytes] = {}
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)

    def is_due(self, position: int) -> bool:
        """Return whether a snapshot belongs at this position and is missing."""
        return position % self.spacing == 0 and position not in self._states

    def keep(self, position: int, encoded: bytes) -> None:
        """Keep this state; drop every second one while all of them need more than their room."""
        self._states[position] = encoded
        while sum(map(len, self._states.values())) > self.room:
            self.spacing *= 2
            self._states = {place: kept for place, kept in self._states.items() if place % self.spacing == 0}

    def remember(self, position: int, encoded: bytes) -> None:
        """Keep the state of a look back until some newer look backs replace it."""
        self._recent.append((position, encoded))

    def before(self, position: int) -> tuple[int, bytes | None]:
        """Return the nearest saved state at or before this position; `(0, None)` is the empty one."""
        known = [(place, kept) for place, kept in (*self._states.items(), *self._recent) if place <= position]
        return max(known, key=lambda entry: entry[0], default=(0, None))
