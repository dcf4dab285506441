"""The prepared logs, on real processes: what they end in, that nothing is said twice, and what breaks an import."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from harness.waiting import PATIENCE, eventually
from infra.parts import ROOT, SERVICES
from tests.support.system import Blog

STORIES = ROOT / "labs" / "stories"
NAMES = sorted(path.stem for path in STORIES.glob("*.ndjson"))
LINES = {"Content-Type": "application/x-ndjson"}


def events_of(name: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in (STORIES / f"{name}.ndjson").read_bytes().splitlines()[1:]]


def put(blog: Blog, file: Any) -> requests.Response:
    return requests.put(blog.url("event-bus") + "/log", data=file, headers=LINES, timeout=PATIENCE)


def exported(blog: Blog) -> bytes:
    return requests.get(blog.url("event-bus") + "/log", timeout=PATIENCE).content


def without_header(file: bytes) -> bytes:
    return file.partition(b"\n")[2]


def pause(blog: Blog, paused: bool) -> bool:
    answers = [blog.send("event-bus", f"/subscribers/{name}", {"paused": paused}, "PATCH").ok for name in SERVICES]
    return all(answers)


def all_caught_up(blog: Blog) -> bool:
    return all(blog.get("event-bus", f"/subscribers/{name}")["lag"] == 0 for name in SERVICES)


def on_a_new_log(blog: Blog) -> Blog:
    """Start a blog whose services have caught up with an empty log, and pause them there, as `make story` does."""
    blog.start().ready()
    assert pause(blog, paused=True)
    return blog


ENDS: dict[str, tuple[int, dict[str, dict[str, int]]]] = {
    "happy-path": (
        60,
        {
            "We drew a bus on the whiteboard today.": {"approved": 3},
            "Lunch poll": {"approved": 2, "rejected": 1},
            "I pulled the plug": {"approved": 3},
            "Type fast": {"approved": 2, "rejected": 1},
            "Names we gave": {"approved": 3},
            "Last hour before the holidays": {"approved": 3},
        },
    ),
    "query-was-down": (
        14,
        {"Rehearsal for tomorrow": {"approved": 2}, "Query is down": {"approved": 1, "rejected": 1}},
    ),
    "moderation-was-down": (13, {"The moderator is at lunch": {"approved": 3, "rejected": 1}}),
    "rejected-comment": (10, {"What is in your fruit basket?": {"approved": 1, "rejected": 2}}),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_story_ends_in_its_state_and_nothing_is_published_twice(new_blog: Blog, name: str) -> None:
    blog, file = on_a_new_log(new_blog), (STORIES / f"{name}.ndjson").read_bytes()
    head, page = ENDS[name]

    assert put(blog, file).json() == {"status": "OK", "events": head}

    assert blog.page() == {}, "paused at 0"
    assert pause(blog, paused=False)
    eventually(lambda: all_caught_up(blog))
    for (title, statuses), (begin, expected) in zip(blog.page().items(), page.items(), strict=True):
        assert title.startswith(begin)
        assert Counter(statuses.values()) == expected
    for service in SERVICES:
        now = blog.get(service, "/state")
        assert now == {"at": head, "state": now["state"], "skipped": []}
        assert blog.get("event-bus", f"/subscribers/{service}/state?at={head}")["state"] == now["state"]
    # Otherwise late reactions of the services would precede what is written now.
    blog.write_post("The day after")
    eventually(lambda: all_caught_up(blog))
    assert [event["type"] for event in blog.events()[head:]] == ["PostCreated"]
    assert without_header(exported(blog)).startswith(without_header(file))


@pytest.mark.parametrize("name", NAMES)
def test_a_story_comes_with_a_title_and_notes_for_the_instructor(name: str) -> None:
    events = events_of(name)

    assert events[0]["story"]
    assert [event["seq"] for event in events if "story" in event] == [1]
    notes = [event["note"] for event in events if "note" in event]
    assert len(notes) >= 7
    assert max(map(len, notes)) <= 120


def test_the_stories_come_out_of_their_script_the_same_every_time(tmp_path: Path) -> None:
    for name in NAMES:
        subprocess.run([sys.executable, STORIES / "tell.py", name, tmp_path], check=True, cwd=ROOT, timeout=100)

        assert (tmp_path / f"{name}.ndjson").read_bytes() == (STORIES / f"{name}.ndjson").read_bytes()


def test_the_long_story_is_imported_whole_or_not_at_all_and_all_catch_up(new_blog: Blog, tmp_path: Path) -> None:
    length = 20_000  # of 100,000 it takes a minute; a log of those is opened in test_console.py
    command = [sys.executable, str(STORIES / "tell.py"), "long", str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"LONG": str(length)}, timeout=100)
    blog, file = on_a_new_log(new_blog), tmp_path / "long.ndjson"
    kill_in_the_middle_of_an_import(blog, file)
    assert blog.start("event-bus").events() == []
    eventually(lambda: pause(blog, paused=True))

    with file.open("rb") as upload:
        assert put(blog, upload).json()["events"] == length

    assert pause(blog, paused=False)
    eventually(lambda: all_caught_up(blog))
    last = msgspec.json.decode(file.read_bytes().splitlines()[-1])
    assert last["data"]["title"] in blog.page()
    then = blog.get("event-bus", f"/subscribers/query/state?at={length}")["state"]
    assert then == blog.get("query", "/state")["state"]
    assert exported(blog) == file.read_bytes()


def kill_in_the_middle_of_an_import(blog: Blog, file: Path) -> None:
    def upload() -> None:
        with suppress(requests.ConnectionError), file.open("rb") as body:
            put(blog, body)

    uploading = threading.Thread(target=upload)
    uploading.start()
    eventually(lambda: (blog.folder / "data" / "events.db-wal").stat().st_size > 2_000_000)
    blog.kill("event-bus")
    uploading.join()


# -- one bus, and what is done to it --------------------------------------------------------------------------------


@pytest.fixture
def bus(new_blog: Blog) -> Blog:
    return new_blog.start("event-bus")


HAPPY = (STORIES / "happy-path.ndjson").read_bytes()


def test_exported_imported_and_exported_again_a_story_is_the_same_file(bus: Blog) -> None:
    assert put(bus, HAPPY).ok
    assert exported(bus) == HAPPY

    bus.kill("event-bus")
    bus.start("event-bus")

    assert exported(bus) == HAPPY
    assert put(bus, HAPPY).status_code == 409


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        pytest.param(HAPPY[:-40], "Line 61: The line is cut off", id="cut in a line"),
        pytest.param(HAPPY[: HAPPY[:-1].rindex(b"\n") + 1], "Line 61: The file ends", id="cut at a line's end"),
        pytest.param(HAPPY.replace(b'"approved"', b"approved", 1), "Line 4: This is not JSON", id="broken"),
        pytest.param(b"Dear diary,\n", "Line 1: This is not a log of Minibus", id="foreign"),
    ],
)
def test_a_broken_story_is_refused_whole_with_the_line(bus: Blog, file: bytes, wrong: str) -> None:
    answer = put(bus, file)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"].startswith(wrong)
    assert bus.events() == []
    assert put(bus, HAPPY).ok


class HalfAnUpload:
    """A client that has sent a half of a file, and goes on when it is told to."""

    def __init__(self, bus: Blog, file: bytes) -> None:
        self.rest = file[len(file) // 2 :]
        self.connection = socket.create_connection(("127.0.0.1", bus.ports["event-bus"]))
        head = (
            f"PUT /log HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: {len(file)}"
        )
        self.connection.sendall(head.encode() + b"\r\nConnection: close\r\n\r\n" + file[: len(file) // 2])

    def finish(self) -> bytes:
        with self.connection:
            self.connection.sendall(self.rest)
            return b"".join(iter(lambda: self.connection.recv(4096), b""))


def publish(bus: Blog) -> requests.Response:
    return bus.send("event-bus", "/events", {"type": "Happened", "data": 1})


def test_while_a_story_is_imported_nothing_else_is_published(bus: Blog) -> None:
    upload = HalfAnUpload(bus, HAPPY)
    # Until the upload has arrived, a publish may come first; here it would spoil the story.
    eventually(lambda: put(bus, HAPPY[:40]).status_code == 503)

    refusal = publish(bus)

    assert (refusal.status_code, refusal.headers["Retry-After"]) == (503, "2")
    assert "being imported" in refusal.json()["errors"][0]["message"]
    assert b'"events":60' in upload.finish()
    assert publish(bus).json()["seq"] == 61


def test_an_upload_that_breaks_off_leaves_nothing_and_blocks_nothing(bus: Blog) -> None:
    upload = HalfAnUpload(bus, HAPPY)
    eventually(lambda: put(bus, HAPPY[:40]).status_code == 503)

    upload.connection.close()

    eventually(lambda: put(bus, HAPPY).ok)
    assert exported(bus) == HAPPY
