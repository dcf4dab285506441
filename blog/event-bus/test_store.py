"""The stores: each fulfils the contract, and what `sqlite` does besides."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from event_bus.log.store import sqlite
from event_bus.log.store.interface import Only, Store, StoreError
from event_bus.log.store.opening import open_store
from event_bus.log.store.sqlite import SqliteStore
from test_store_contract import DurableStoreContract, StoreContract, an_event, bodies


class TestMemory(StoreContract):
    def open_store(self, folder: Path) -> Store:
        return open_store({"EVENT_STORE": "memory"})


class TestSqlite(DurableStoreContract):
    def open_store(self, folder: Path) -> Store:
        return open_store({"EVENT_STORE": "sqlite", "DATA_DIR": str(folder)})

    def test_a_batch_that_fails_leaves_nothing_behind(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "events.db")
        unstorable = {**an_event(), "type": None}

        with pytest.raises(StoreError):
            store.append([an_event(), unstorable])

        assert store.head == 0
        assert [place.seq for place in store.append([an_event()])] == [1]
        assert len(store.read(0)) == 1
        store.close()

    def test_it_rejects_a_file_that_is_not_a_database(self, tmp_path: Path) -> None:
        (tmp_path / "events.db").write_text("Dear diary, " * 100)
        assert_rejects(tmp_path, "file is not a database")
        assert (tmp_path / "events.db").read_text().startswith("Dear diary")

    def test_it_rejects_the_database_of_another_program(self, tmp_path: Path) -> None:
        other = sqlite3.connect(tmp_path / "events.db")
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.close()
        assert_rejects(tmp_path, "another program")

    def test_it_rejects_a_newer_format(self, tmp_path: Path) -> None:
        SqliteStore(tmp_path / "events.db").close()
        newer = sqlite3.connect(tmp_path / "events.db")
        newer.execute("PRAGMA user_version = 3")
        newer.close()
        assert_rejects(tmp_path, "format 3")

    def test_it_opens_a_log_of_format_1(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "events.db")
        event = an_event()
        store.append([an_event(), event])
        store.close()
        older = sqlite3.connect(tmp_path / "events.db")
        older.executescript(
            "DROP INDEX events_by_chain; ALTER TABLE events DROP COLUMN correlationid; PRAGMA user_version = 1"
        )
        older.close()

        store = SqliteStore(tmp_path / "events.db")

        assert [record.seq for record in store.read(0, only=Only(correlationid=event["correlationid"]))] == [2]
        assert [place.seq for place in store.append([an_event()])] == [3]
        store.close()

    def test_a_log_that_has_lost_its_end_gets_a_new_id(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        store = SqliteStore(tmp_path / "events.db")
        for _ in range(20):
            store.append([an_event()])
        crashed = shutil.copytree(tmp_path, tmp_path / "crashed")
        damaged = (crashed / "events.db-wal").read_bytes()[:-30_000]
        (crashed / "events.db-wal").write_bytes(damaged)
        store.close()

        again = SqliteStore(crashed / "events.db")

        assert 0 < again.head < 20
        assert again.id != store.id
        assert [event["seq"] for event in bodies(again)] == list(range(1, again.head + 1))
        assert (crashed / f"events.db-wal.{again.head}").read_bytes() == damaged
        assert f"of 20 acknowledged events it holds {again.head}." in caplog.text
        again.close()
        assert_opens_as(again.id, crashed)

    @pytest.mark.parametrize("mark", [b"", b"nonsense", b"\xff", b"another 999"])
    def test_a_damaged_mark_changes_nothing(self, tmp_path: Path, mark: bytes) -> None:
        store = SqliteStore(tmp_path / "events.db")
        store.append([an_event()])
        store.close()
        (tmp_path / "events.mark").write_bytes(mark)

        assert_opens_as(store.id, tmp_path)

    def test_a_read_that_fails_raises_a_store_error(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "events.db")
        with closing(sqlite3.connect(tmp_path / "events.db")) as other:
            other.execute("ALTER TABLE events RENAME TO gone")

        with pytest.raises(StoreError, match="cannot read: no such table"):
            store.read(0)
        store.close()

    def test_it_rejects_a_folder_that_it_cannot_create(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert_rejects(tmp_path / "file" / "data", "cannot use")

    def test_it_rejects_a_second_writer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite, "PATIENCE", 0)
        first = SqliteStore(tmp_path / "events.db")
        assert_rejects(tmp_path, "another event bus holds")
        first.close()


def test_an_unknown_store_is_rejected() -> None:
    with pytest.raises(StoreError, match="EVENT_STORE is 'redis'"):
        open_store({"EVENT_STORE": "redis"})


def assert_opens_as(log_id: str, folder: Path) -> None:
    store = SqliteStore(folder / "events.db")
    assert store.id == log_id
    store.close()


def assert_rejects(folder: Path, why: str) -> None:
    with pytest.raises(StoreError, match=why) as rejection:
        open_store({"DATA_DIR": str(folder)})
    assert "\n" not in str(rejection.value)


REJECTIONS: list[tuple[dict[str, str], Callable[[Path], object], str]] = [
    ({"EVENT_STORE": "redis"}, lambda folder: None, "EVENT_STORE is 'redis'"),
    ({}, lambda folder: (folder / "events.db").write_text("Dear diary, " * 100), "file is not a database"),
    ({"DATA_DIR": "/dev/null/data"}, lambda folder: None, "cannot use /dev/null/data"),
]


@pytest.mark.parametrize(("settings", "prepare", "why"), REJECTIONS)
def test_a_bus_that_cannot_start_says_why_in_one_line(
    settings: dict[str, str], prepare: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    prepare(tmp_path)
    config = Path(__file__).parent.parent / "common" / "gunicorn.conf.py"
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", str(config), "event_bus.wsgi:app"]

    environment = {"DATA_DIR": str(tmp_path), "PORT": "0", **settings}
    ended = subprocess.run(gunicorn, env=environment, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode != 0
    [line] = ended.stderr.splitlines()
    assert line.startswith("event-bus: ")
    assert why in line
