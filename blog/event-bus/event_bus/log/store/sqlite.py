"""The `sqlite` store, the default. An acknowledged event survives a crash, and a power cut if the disk obeys fsync."""

from __future__ import annotations

import fcntl
import logging
import shutil
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec

from event_bus.log.store.interface import (
    EVERYTHING,
    MOST_TYPES,
    PAGE_BYTES,
    PAGE_EVENTS,
    Duplicate,
    Only,
    Record,
    Stored,
    StoreError,
)
from event_bus.log.store.mark import Mark

if TYPE_CHECKING:
    from minibus.core.event import Envelope

FORMAT = 2
APPLICATION = 0x6D627573  # "mbus", in the header of the file (PRAGMA application_id)
PATIENCE = 5.0  # seconds to wait for the lock of a bus that is stopping

SCHEMA = f"""
CREATE TABLE log (id TEXT NOT NULL);
CREATE TABLE events (
    seq           INTEGER PRIMARY KEY,
    source        TEXT NOT NULL,
    id            TEXT NOT NULL,
    type          TEXT NOT NULL,
    body          BLOB NOT NULL,
    correlationid TEXT NOT NULL,
    UNIQUE (source, id)
);
CREATE INDEX events_by_type ON events (type, seq);
CREATE INDEX events_by_chain ON events (correlationid, seq);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
"""

# Format 1 had no column for the chain (`correlationid`).
FROM_1_TO_2 = """
ALTER TABLE events ADD COLUMN correlationid TEXT NOT NULL DEFAULT '';
UPDATE events SET correlationid = json_extract(CAST(body AS TEXT), '$.correlationid');
CREATE INDEX events_by_chain ON events (correlationid, seq);
PRAGMA user_version = 2;
"""


FILTERS = {
    "type": "type = :type",
    "correlationid": "correlationid = :correlationid",
    "contains": "instr(lower(CAST(body AS TEXT)), lower(:contains))",
}

# Jump from one type to the next by the index; DISTINCT would read the whole index.
ALL_TYPES = f"""
WITH RECURSIVE known (type) AS (
    SELECT min(type) FROM events
    UNION ALL
    SELECT (SELECT min(type) FROM events WHERE type > known.type) FROM known WHERE type IS NOT NULL
)
SELECT type FROM known WHERE type IS NOT NULL LIMIT {MOST_TYPES}
"""


class SqliteStore:
    """Keep events in one database file with one writer.

    WAL lets readers run during a write. `synchronous=FULL` makes SQLite call fsync at each commit.
    """

    keeps = True

    def __init__(self, path: Path) -> None:
        self.path = path
        with ExitStack() as opened:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                opened.enter_context(_lock(path.with_suffix(".lock")))
                self._writer = opened.enter_context(closing(self._connect()))
                self._prepare()
                self._reader = opened.enter_context(closing(self._connect()))
                self.id: str = self._writer.execute("SELECT id FROM log").fetchone()[0]
                self._head: int = self._writer.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
                self._mark = opened.enter_context(closing(Mark(path.with_suffix(".mark"))))
                self._check_end()
            except OSError as error:
                raise StoreError(
                    f"cannot use {path.parent}: {error.strerror}; set DATA_DIR to another folder"
                ) from error
            except (sqlite3.Error, TypeError) as error:
                raise StoreError(f"cannot use {path}: {error}; {_advice(error)}") from error
            # No error: keep everything open until `close`.
            self._opened = opened.pop_all()

    def _connect(self) -> sqlite3.Connection:
        # Appends run on native threads, one at a time, so SQLite must accept calls from several threads.
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def _prepare(self) -> None:
        application, version = (
            self._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if application != APPLICATION and self._writer.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise StoreError(f"{self.path} is the database of another program; set DATA_DIR to another folder")
        if version > FORMAT:
            raise StoreError(
                f"{self.path} has format {version}, but this event bus reads up to {FORMAT}; use a newer event bus"
            )
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        if application != APPLICATION:
            self._writer.executescript(f"BEGIN; {SCHEMA} INSERT INTO log VALUES ('{uuid.uuid4().hex}'); COMMIT;")
        elif version == 1:
            self._writer.executescript(f"BEGIN; {FROM_1_TO_2} COMMIT;")

    def _check_end(self) -> None:
        """Give the log a new id if it has lost acknowledged events, so that subscribers start over."""
        acknowledged = self._mark.read(self.id)
        if self._head < acknowledged:
            kept = self._keep_write_ahead_log()
            self.id = uuid.uuid4().hex
            self._writer.execute("UPDATE log SET id = ?", (self.id,))
            logging.getLogger("event-bus").error(
                "%s has lost its end: of %d acknowledged events it holds %d. It now has a new log id.%s",
                *(self.path, acknowledged, self._head, kept),
            )
        self._mark.write(self.id, self._head)

    def _keep_write_ahead_log(self) -> str:
        """Copy the write-ahead log before SQLite overwrites it. Return a sentence that names the copy."""
        damaged, copy = (self.path.with_name(self.path.name + ending) for ending in ("-wal", f"-wal.{self._head}"))
        if not damaged.exists():
            return ""
        shutil.copyfile(damaged, copy)
        return f" Its write-ahead log is kept as {copy.name}."

    @property
    def head(self) -> int:
        """The number of the last event."""
        return self._head

    def append(self, events: list[Envelope]) -> list[Stored]:
        """Insert the events that are not stored yet, in one transaction."""
        head = self._head
        answers = []
        with self._transaction():
            for event in events:
                new = self._insert(head + 1, event)
                head += new
                answers.append(Stored(head if new else self._place(event), event["id"]))
        self._set_head(head)
        return answers

    def load(self, events: Iterable[Envelope]) -> int:
        """Insert all events in one transaction: a crash leaves the log empty."""
        head = 0
        with self._transaction():
            for head, event in enumerate(events, 1):
                if not self._insert(head, event):
                    raise Duplicate(head, self._place(event))
        self._set_head(head)
        return head

    def _set_head(self, head: int) -> None:
        self._head = head
        self._mark.write(self.id, head)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            yield
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"cannot store: {error}") from error
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    def _insert(self, seq: int, event: Envelope) -> int:
        """Insert an event. Return 1 if it is new, 0 if it is already stored."""
        body = msgspec.json.encode({**event, "seq": seq})
        row = (seq, event["source"], event["id"], event["type"], body, event["correlationid"])
        return self._writer.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source, id) DO NOTHING", row
        ).rowcount

    def _place(self, event: Envelope) -> int:
        key = (event["source"], event["id"])
        return self._writer.execute("SELECT seq FROM events WHERE source = ? AND id = ?", key).fetchone()[0]

    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        """Return the next events after this position."""
        if only.contains is None:
            return self._read(self._reader, after, limit, only)
        # A text search runs for long on its own thread, so it gets its own connection.
        with closing(self._connect()) as searcher:
            return self._read(searcher, after, limit, only)

    def _read(self, reader: sqlite3.Connection, after: int, limit: int, only: Only) -> list[Record]:
        where = "".join(f" AND {clause}" for name, clause in FILTERS.items() if getattr(only, name) is not None)
        page: list[Record] = []
        size = 0
        try:
            rows = reader.execute(
                f"SELECT seq, body FROM events WHERE seq > :after{where} ORDER BY seq LIMIT :limit",
                {"after": after, "limit": limit, **only._asdict()},
            )
            for row in rows:
                page.append(Record(*row))
                size += len(page[-1].body)
                if size >= PAGE_BYTES:
                    break
            rows.close()
        except sqlite3.Error as error:
            raise StoreError(f"cannot read: {error}") from error
        return page

    def types(self, numbers: Sequence[int]) -> list[str]:
        """Return the types of the events with these numbers."""
        places = ", ".join("?" * len(numbers))
        rows = self._reader.execute(f"SELECT type FROM events WHERE seq IN ({places}) ORDER BY seq", numbers)
        return [row[0] for row in rows]

    def all_types(self) -> list[str]:
        """Return every type in the log."""
        return [row[0] for row in self._reader.execute(ALL_TYPES)]

    def close(self) -> None:
        """Close the database and release its lock."""
        self._opened.close()


def _advice(error: Exception) -> str:
    """Say what to do about a database that cannot be opened. Advise moving it only if the file itself is damaged."""
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code, without SQLite's extension
    if kind in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        return "make room there, or set DATA_DIR to another folder"
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another program holds it; end that program"
    return "move it away to start a new log"


def _lock(path: Path) -> TextIO:
    """Lock a file, so that one process at a time appends: a second writer would number events twice."""
    file = path.open("w")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise StoreError(f"another event bus holds {path.parent}; end it, or set DATA_DIR") from None
            time.sleep(0.05)
