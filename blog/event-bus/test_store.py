"""One contract for every rung that stores, and what each rung adds to it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from event_bus.log.log import Log
from event_bus.log.store import sqlite
from event_bus.log.store.interface import Duplicate, Only, Store, StoreError
from event_bus.log.store.opening import open_store
from event_bus.log.store.sqlite import SqliteStore
from minibus.core.event import complete


def an_event(**attributes: Any) -> dict[str, Any]:
    return complete({"type": "PostCreated", "data": {"title": "Hello"}, **attributes})


def numbered(count: int) -> Iterator[dict[str, Any]]:
    for seq in range(1, count + 1):
        yield {**an_event(id=f"event-{seq}", source="/loaded", time="2026-01-01T00:00:00Z"), "seq": seq}


def bodies(store: Store, after: int = 0, **how: Any) -> list[Any]:
    return [msgspec.json.decode(record.body) for record in store.read(after, **how)]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    store = open_store({"EVENT_STORE": request.param, "DATA_DIR": str(tmp_path)})
    yield store
    store.close()


class TestEveryStore:
    def test_starts_empty_under_an_id_of_its_own(self, store: Store) -> None:
        assert (store.head, store.read(0)) == (0, [])
        assert len(store.id) == 32

    def test_numbers_events_from_one_without_holes(self, store: Store) -> None:
        first = store.append([an_event(), an_event()])
        second = store.append([an_event()])

        assert [place.seq for place in first + second] == [1, 2, 3]
        assert store.head == 3
        assert [event["seq"] for event in bodies(store)] == [1, 2, 3]

    def test_gives_back_what_was_appended_in_reading_order(self, store: Store) -> None:
        event = an_event(subject="x", data={"title": "Grüße, 世界"})

        store.append([event])

        [stored] = bodies(store)
        assert stored == {**event, "seq": 1}
        assert list(stored)[:6] == ["specversion", "id", "source", "type", "time", "seq"]

    def test_stores_the_same_source_and_id_once(self, store: Store) -> None:
        event = an_event(id="one", source="/a")
        store.append([event])

        again = store.append([an_event(), {**event, "data": "changed"}, an_event(id="one", source="/b")])

        assert [place.seq for place in again] == [2, 1, 3]
        assert bodies(store)[0]["data"] == event["data"]

    def test_stores_the_same_source_and_id_once_in_one_batch(self, store: Store) -> None:
        event = an_event(id="one", source="/a")

        places = store.append([event, an_event(), event])

        assert [place.seq for place in places] == [1, 2, 1]
        assert store.head == 2

    def test_reads_after_a_position_up_to_a_limit(self, store: Store) -> None:
        store.append([an_event() for _ in range(5)])

        assert [event["seq"] for event in bodies(store, after=1, limit=2)] == [2, 3]
        assert store.read(5) == store.read(99) == []

    def test_reads_only_one_type(self, store: Store) -> None:
        store.append([an_event(type=name) for name in ("A", "B", "A", "B")])

        assert [event["seq"] for event in bodies(store, only=Only("B"))] == [2, 4]
        assert [event["seq"] for event in bodies(store, after=2, only=Only("B"))] == [4]
        assert store.read(0, only=Only("C")) == []

    def test_reads_only_one_chain(self, store: Store) -> None:
        first, second = an_event(), an_event()
        reactions = [an_event(correlationid=first["id"]), an_event(correlationid=second["id"])]
        store.append([first, second, *reactions])

        assert [event["seq"] for event in bodies(store, only=Only(correlationid=first["id"]))] == [1, 3]
        assert [event["seq"] for event in bodies(store, only=Only("B", first["id"]))] == []

    def test_reads_only_what_contains_a_text(self, store: Store) -> None:
        store.append([an_event(data=text) for text in ("hay", "a Needle", "hay", "needles")])

        assert [event["seq"] for event in bodies(store, only=Only(contains="NEEDLE"))] == [2, 4]
        assert [event["seq"] for event in bodies(store, after=2, limit=1, only=Only(contains="needle"))] == [4]
        assert bodies(store, only=Only("B", contains="needle")) == []

    def test_tells_types_of_some_events_and_of_all(self, store: Store) -> None:
        assert store.all_types() == store.types([]) == []
        store.append([an_event(type=name) for name in ("B", "A", "B", "C")])

        assert store.types(range(1, 5, 2)) == ["B", "B"]
        assert store.all_types() == ["A", "B", "C"]

    def test_bounds_a_page_by_its_size_and_makes_progress_all_the_same(self, store: Store) -> None:
        store.append([an_event(data="x" * 600_000) for _ in range(3)])

        assert [record.seq for record in store.read(0)] == [1, 2]
        assert [record.seq for record in store.read(2)] == [3]

    def test_appends_of_many_threads_stand_once_each_without_holes(self, store: Store) -> None:
        log = Log(store)
        answers: dict[str, int] = {}

        def write(writer: int) -> None:
            for number in range(50):
                [place] = log.append([an_event(id=f"{writer}-{number}")])
                answers[place.id] = place.seq

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        assert sorted(answers.values()) == list(range(1, 401))
        assert {event["id"]: event["seq"] for event in bodies(store)} == answers

    def test_loads_whole_events_as_they_come(self, store: Store) -> None:
        count = store.load(numbered(3))

        assert (count, store.head) == (3, 3)
        assert bodies(store) == list(numbered(3))
        assert [place.seq for place in store.append([an_event(id="event-2", source="/loaded"), an_event()])] == [2, 4]
        assert [record.seq for record in store.read(0, only=Only("PostCreated"))] == [1, 2, 3, 4]

    def test_loads_nothing_of_what_has_an_event_twice(self, store: Store) -> None:
        events = [*numbered(2), {**next(numbered(1)), "seq": 3}]

        with pytest.raises(Duplicate) as refusal:
            store.load(events)

        assert (refusal.value.seq, refusal.value.first) == (3, 1)
        assert (store.head, store.read(0)) == (0, [])

    def test_loads_nothing_of_what_breaks_off(self, store: Store) -> None:
        def events() -> Iterator[Any]:
            yield from numbered(2)
            raise ValueError("the file ends here")

        with pytest.raises(ValueError, match="ends here"):
            store.load(events())

        assert (store.head, store.read(0)) == (0, [])
        assert [place.seq for place in store.append([an_event()])] == [1]


class TestSqlite:
    def test_keeps_events_and_the_logs_id_over_a_restart(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "events.db")
        store.append([an_event(id="kept")])
        store.close()

        again = SqliteStore(tmp_path / "events.db")

        assert (again.id, again.head) == (store.id, 1)
        assert [place.seq for place in again.append([an_event(id="kept"), an_event()])] == [1, 2]
        again.close()

    def test_a_batch_that_fails_leaves_nothing_behind(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "events.db")
        unstorable = {**an_event(), "type": None}

        with pytest.raises(StoreError):
            store.append([an_event(), unstorable])

        assert store.head == 0
        assert [place.seq for place in store.append([an_event()])] == [1]
        assert len(store.read(0)) == 1
        store.close()

    def test_refuses_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "events.db").write_text("Dear diary, " * 100)
        assert_refuses(tmp_path, "file is not a database")
        assert (tmp_path / "events.db").read_text().startswith("Dear diary")

    def test_refuses_the_database_of_another_program(self, tmp_path: Path) -> None:
        other = sqlite3.connect(tmp_path / "events.db")
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.close()
        assert_refuses(tmp_path, "another program")

    def test_refuses_a_newer_format(self, tmp_path: Path) -> None:
        SqliteStore(tmp_path / "events.db").close()
        newer = sqlite3.connect(tmp_path / "events.db")
        newer.execute("PRAGMA user_version = 3")
        newer.close()
        assert_refuses(tmp_path, "format 3")

    def test_takes_a_log_of_the_format_before_along(self, tmp_path: Path) -> None:
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

    def test_goes_on_as_another_log_when_it_has_lost_its_end(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
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
    def test_a_mark_that_is_none_means_nothing(self, tmp_path: Path, mark: bytes) -> None:
        store = SqliteStore(tmp_path / "events.db")
        store.append([an_event()])
        store.close()
        (tmp_path / "events.mark").write_bytes(mark)

        assert_opens_as(store.id, tmp_path)

    def test_says_that_it_cannot_read(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "events.db")
        with closing(sqlite3.connect(tmp_path / "events.db")) as stranger:
            stranger.execute("ALTER TABLE events RENAME TO gone")

        with pytest.raises(StoreError, match="cannot read: no such table"):
            store.read(0)
        store.close()

    def test_refuses_a_folder_that_it_cannot_make(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert_refuses(tmp_path / "file" / "data", "cannot use")

    def test_refuses_to_be_the_second_writer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite, "PATIENCE", 0)
        first = SqliteStore(tmp_path / "events.db")
        assert_refuses(tmp_path, "another event bus holds")
        first.close()

    def test_knows_no_other_rung(self) -> None:
        with pytest.raises(StoreError, match="EVENT_STORE is 'redis'"):
            open_store({"EVENT_STORE": "redis"})


def assert_opens_as(log_id: str, folder: Path) -> None:
    store = SqliteStore(folder / "events.db")
    assert store.id == log_id
    store.close()


def assert_refuses(folder: Path, why: str) -> None:
    with pytest.raises(StoreError, match=why) as refusal:
        open_store({"DATA_DIR": str(folder)})
    assert "\n" not in str(refusal.value)


REFUSALS: list[tuple[dict[str, str], Callable[[Path], object], str]] = [
    ({"EVENT_STORE": "redis"}, lambda folder: None, "EVENT_STORE is 'redis'"),
    ({}, lambda folder: (folder / "events.db").write_text("Dear diary, " * 100), "file is not a database"),
    ({"DATA_DIR": "/dev/null/data"}, lambda folder: None, "cannot use /dev/null/data"),
]


@pytest.mark.parametrize(("settings", "prepare", "why"), REFUSALS)
def test_the_bus_says_in_one_line_why_it_does_not_start(
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
