"""What the bus has answered is there: after kills under load, on a full disk, with a torn write-ahead log."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from random import Random

import msgspec
import pytest
import requests
from event_bus.log.store.interface import StoreError
from event_bus.log.store.sqlite import SqliteStore
from minibus.bus.stamp import stamp
from minibus.core.event import complete

from harness.waiting import PATIENCE, eventually
from infra.parts import SERVICES
from tests.support.machine import in_ci
from tests.support.system import Blog

KILLS = int(os.environ.get("KILLS", "12"))
TEARS = int(os.environ.get("TEARS", "30"))  # of each kind
SEED = int(os.environ.get("SEED", "8"))
JSON = {"Content-Type": "application/json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


# -- kills ------------------------------------------------------------------------------------------------------------


class Writer(threading.Thread):
    """Publishes without a pause, singly or in batches, and knows what it was answered."""

    def __init__(self, blog: Blog, name: str, batch: int) -> None:
        super().__init__(daemon=True)
        self.blog = blog
        self.name = name
        self.batch = batch
        self.answered: dict[str, int] = {}  # id → seq
        self.in_doubt: set[str] = set()  # published, and the answer was lost
        self.over = threading.Event()

    def run(self) -> None:
        """Publish until it is over."""
        numbers = count()
        while not self.over.is_set():
            connection = HTTPConnection("127.0.0.1", self.blog.ports["event-bus"], timeout=PATIENCE)
            try:
                connection.connect()
                while not self.over.is_set():
                    self.publish(connection, [f"{self.name}-{next(numbers)}" for _ in range(self.batch)])
            except (OSError, HTTPException):
                self.over.wait(0.02)
            finally:
                connection.close()

    def publish(self, connection: HTTPConnection, ids: list[str]) -> None:
        """Publish events with these ids."""
        events = [{"id": one, "source": "/load", "type": "Load", "data": "x" * 100} for one in ids]
        self.in_doubt.update(ids)
        if self.batch == 1:
            connection.request("POST", "/events", msgspec.json.encode(events[0]), JSON)
        else:
            connection.request("POST", "/events", msgspec.json.encode(events), BATCH)
        answer = connection.getresponse()
        told = msgspec.json.decode(answer.read())
        assert answer.status == 200, told
        self.answered.update({place["id"]: place["seq"] for place in told.get("events", [told])})
        self.in_doubt.difference_update(ids)


def assert_sound(database: Path, copy: Path) -> None:
    """Check a copy of the database as the kill has left it, so that the bus finds the original untouched."""
    for ending in ("", "-wal"):
        if (file := database.with_name(database.name + ending)).exists():
            shutil.copyfile(file, copy.with_name(copy.name + ending))
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_bus_that_is_killed_under_load_has_all_that_it_answered(new_blog: Blog) -> None:
    chance = Random(SEED)
    database = new_blog.folder / "data" / "events.db"
    new_blog.start("event-bus")
    writers = [Writer(new_blog, f"writer-{number}", batch) for number, batch in enumerate([1, 1, 1, 1, 10, 100])]
    for writer in writers:
        writer.start()

    def answered() -> int:
        return sum(len(writer.answered) for writer in writers)

    for _ in range(KILLS):
        enough = answered() + chance.randrange(100, 1000)
        eventually(lambda enough=enough: answered() >= enough)  # type: ignore[misc]
        new_blog.kill("event-bus")
        assert_sound(database, new_blog.folder / "copy.db")
        new_blog.start("event-bus")
    for writer in writers:
        writer.over.set()
    for writer in writers:
        writer.join(60)
    new_blog.stop("event-bus")

    assert_sound(database, new_blog.folder / "copy.db")
    with closing(sqlite3.connect(database)) as opened:
        log = opened.execute("SELECT id, seq FROM events ORDER BY seq").fetchall()
    stored = dict(log)
    in_doubt = set().union(*(writer.in_doubt for writer in writers))
    assert [seq for _, seq in log] == list(range(1, len(log) + 1))
    assert len(stored) == len(log)
    for writer in writers:
        assert {one: stored.get(one) for one in writer.answered} == writer.answered
        assert sum(one.startswith(f"{writer.name}-") for one in stored) % writer.batch == 0, "half a batch"
    assert set(stored) <= in_doubt.union(*(writer.answered for writer in writers))
    assert len(in_doubt) >= KILLS, "no publish was in doubt at a kill"
    found = f"all {answered():,} events answered are there, each once; {len(in_doubt):,} answers were lost"
    print(f"\n{KILLS} kills: {found}, of which {len(in_doubt & set(stored)):,} events are there.")


# -- disks ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB. Only root can mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        in_ci("no disk can be mounted here; root can")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Take all the room that there is."""
    with (disk / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(b"x" * 1024)


def publish(blog: Blog, size: int = 10_000) -> requests.Response:
    return blog.send("event-bus", "/events", {"type": "Weighed", "data": "x" * size})


def last_words(blog: Blog) -> str:
    """Start a bus that cannot run; return the one line that it says."""
    process = blog.spawn("event-bus")
    said = len(blog.log("event-bus"))
    assert process.wait(PATIENCE) not in (0, None)
    del blog.processes["event-bus"]
    [line] = blog.log("event-bus")[said:].splitlines()
    assert line.startswith("event-bus: ")
    return line


def test_on_a_full_disk_nothing_is_stored_reading_works_and_with_room_all_does(new_blog: Blog, disk: Path) -> None:
    new_blog.settings = {"DATA_DIR": str(disk)}
    new_blog.start().ready()
    new_blog.write_post("There was room")
    eventually(lambda: "There was room" in new_blog.page())
    fill(disk)
    while publish(new_blog).ok:
        pass
    log = new_blog.events()

    refusals = [publish(new_blog) for _ in range(3)]
    refusals.append(new_blog.send("posts", "/posts/create", {"title": "No room"}))
    batch = msgspec.json.encode([{"type": "Weighed", "data": "x" * 10_000}] * 100)
    refusals.append(requests.post(new_blog.url("event-bus") + "/events", data=batch, headers=BATCH, timeout=PATIENCE))

    for answer in refusals:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        [error] = answer.json()["errors"]
        assert "othing was stored" in error["message"]
    assert "disk is full" in refusals[0].json()["errors"][0]["message"]
    assert new_blog.events() == log
    assert list(new_blog.page()) == ["There was room"]
    assert all(new_blog.get("event-bus", f"/subscribers/{name}")["state"] == "live" for name in SERVICES)

    new_blog.kill("event-bus")
    new_blog.start("event-bus")  # it needs no room to start where it had been running
    assert new_blog.events() == log
    assert publish(new_blog).status_code == 503

    (disk / "ballast").unlink()

    assert publish(new_blog).json()["seq"] == len(log) + 1
    new_blog.write_post("There is room again")
    eventually(lambda: "There is room again" in new_blog.page())
    assert "Traceback" not in new_blog.log("event-bus")


def test_on_a_disk_that_is_full_or_read_only_the_bus_says_so_and_leaves_what_is_there(
    new_blog: Blog, disk: Path
) -> None:
    new_blog.settings = {"DATA_DIR": str(disk)}
    new_blog.start("event-bus")
    assert publish(new_blog).ok
    log = new_blog.events()
    new_blog.stop("event-bus")
    kept = (disk / "events.db").read_bytes()

    fill(disk)
    new_blog.settings = {"DATA_DIR": str(disk / "new")}
    assert "disk is full; make room there, or set DATA_DIR to another folder" in last_words(new_blog)
    new_blog.settings = {"DATA_DIR": str(disk)}
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "Read-only file system; set DATA_DIR to another folder" in last_words(new_blog)
    assert (disk / "events.db").read_bytes() == kept

    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    (disk / "ballast").unlink()
    new_blog.start("event-bus")
    assert new_blog.events() == log


# -- another program -------------------------------------------------------------------------------------------------


def test_what_another_bus_holds_is_left_to_it(new_blog: Blog, tmp_path_factory: pytest.TempPathFactory) -> None:
    new_blog.start("event-bus")
    second = Blog(tmp_path_factory.mktemp("second"), DATA_DIR=str(new_blog.folder / "data"))

    assert "another event bus holds" in last_words(second)

    assert publish(new_blog).json()["seq"] == 1


def test_while_another_program_holds_the_database_the_bus_waits_and_says_so(new_blog: Blog) -> None:
    new_blog.start("event-bus")
    assert publish(new_blog).ok
    with closing(sqlite3.connect(new_blog.folder / "data" / "events.db", isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")

        answer = publish(new_blog)

        assert answer.status_code == 503
        assert answer.json()["errors"][0]["message"] == "Nothing was stored: cannot store: database is locked."
        assert len(new_blog.events()) == 1
    assert publish(new_blog).json()["seq"] == 2

    new_blog.stop("event-bus")
    with closing(sqlite3.connect(new_blog.folder / "data" / "events.db", isolation_level=None)) as stranger:
        stranger.execute("PRAGMA locking_mode = EXCLUSIVE")
        stranger.execute("BEGIN EXCLUSIVE")
        assert "database is locked; another program holds it; end that program" in last_words(new_blog)
    new_blog.start("event-bus")
    assert len(new_blog.events()) == 2


# -- a torn write-ahead log -----------------------------------------------------------------------------------------


def truncate(chance: Random, wal: bytes) -> bytes:
    return wal[: chance.randrange(len(wal))]


def garble(chance: Random, wal: bytes) -> bytes:
    begin = chance.randrange(len(wal))
    return wal[:begin] + chance.randbytes(min(100, len(wal) - begin)) + wal[begin + 100 :]


def zero(chance: Random, wal: bytes) -> bytes:
    begin = chance.randrange(len(wal))
    return wal[:begin] + bytes(len(wal) - begin)


@pytest.mark.parametrize("tear", [truncate, garble, zero])
def test_of_a_torn_write_ahead_log_the_bus_keeps_what_is_whole(
    tear: Callable[[Random, bytes], bytes], tmp_path: Path
) -> None:
    """Here without processes, because a kill leaves behind what an open database has: so often each."""
    store = SqliteStore(tmp_path / "one" / "events.db")
    for number in range(100):
        store.append([complete({"type": "Written", "id": str(number), "data": "x" * 300}, **stamp())])
    whole = [record.body for record in store.read(0)]
    wal = (tmp_path / "one" / "events.db-wal").read_bytes()
    lost = 0
    for seed in range(TEARS):
        folder = shutil.copytree(tmp_path / "one", tmp_path / f"{seed}")
        (folder / "events.db-wal").write_bytes(tear(Random(seed), wal))
        try:
            torn = SqliteStore(folder / "events.db")
        except StoreError as error:  # not even the log's beginning is there
            assert "\n" not in str(error)
            lost += 1
            continue
        read = [record.body for record in torn.read(0)]
        assert read == whole[: torn.head]
        assert (torn.id == store.id) == (torn.head == 100)
        assert torn.append([complete({"type": "Next"}, **stamp())])[0].seq == torn.head
        lost += len(read) < 100
        torn.close()
        assert_sound(folder / "events.db", folder / "copy.db")
        shutil.rmtree(folder)
    store.close()
    assert lost > TEARS / 2, "hardly a tear hit anything"


def test_when_the_log_has_lost_its_end_every_service_starts_over(new_blog: Blog) -> None:
    new_blog.start().ready()
    for number in range(30):
        new_blog.write_post(f"Post {number}")
    new_blog.kill("event-bus")
    wal = new_blog.folder / "data" / "events.db-wal"
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size // 2])

    new_blog.start("event-bus")

    kept = len(new_blog.events())
    assert 0 < kept < 30
    assert f"of 30 acknowledged events it holds {kept}" in new_blog.log("event-bus")
    for number in range(30 - kept + 5):  # longer than before, at once: these must not pass for the lost ones
        assert new_blog.send(
            "event-bus", "/events", {"type": "PostCreated", "data": {"id": f"new-{number}", "title": f"New {number}"}}
        ).ok
    titles = [f"Post {number}" for number in range(kept)] + [f"New {number}" for number in range(30 - kept + 5)]
    eventually(lambda: list(new_blog.page()) == titles)
    eventually(lambda: [post["title"] for post in new_blog.get("posts", "/posts").values()] == titles)
