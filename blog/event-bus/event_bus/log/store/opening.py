"""Open the store that the settings name. `EVENT_STORE` chooses: `none`, `memory` or `sqlite`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from event_bus.log.store.interface import Store, StoreError
from event_bus.log.store.memory import MemoryStore
from event_bus.log.store.none import NoStore
from event_bus.log.store.sqlite import SqliteStore


def open_store(settings: Mapping[str, str] = os.environ) -> Store:
    """Open the store that the settings name. Raises `StoreError` with one line that says what to do."""
    kind = settings.get("EVENT_STORE", "sqlite")
    if kind == "none":
        return NoStore()
    if kind == "memory":
        return MemoryStore()
    if kind == "sqlite":
        return SqliteStore(Path(settings.get("DATA_DIR", "data")) / "events.db")
    raise StoreError(f"EVENT_STORE is {kind!r}; set it to sqlite (the default), memory or none")
