"""The clock and the random source: they give a new event its time and its id. The core gets both from here."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from minibus.core.event import Stamp


def stamp() -> Stamp:
    """Draw a unique id and read the clock, for `seal` and `complete`: `complete(event, **stamp())`."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Stamp(id=str(uuid.uuid4()), time=now)
