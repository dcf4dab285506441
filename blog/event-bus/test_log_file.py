"""Export the log as a file, import it, and reject a file that is wrong."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from event_bus.app import create_bus
from event_bus.delivery.subscriber import Subscriber
from event_bus.http import log_file as log_file_routes
from event_bus.http.guard import Guard
from event_bus.log import file as log_file
from event_bus.log.file import LINES
from event_bus.log.log import Log
from event_bus.log.store.interface import Store
from event_bus.log.store.memory import MemoryStore
from event_bus.log.store.none import NoStore
from minibus.bus.stamp import stamp
from minibus.core.event import MAX_EVENT_BYTES, Event, seal

Bus = Any  # a FlaskClient, whose answers' JSON is anything


def new_bus(store: Store | None = None) -> Bus:
    return create_bus(store or MemoryStore(), {}, Guard({})).test_client()


@pytest.fixture
def bus() -> Iterator[Bus]:
    bus = new_bus()
    yield bus
    bus.application.extensions["minibus"].stop(patience=0)


def put(bus: Bus, file: bytes) -> Any:
    return bus.put("/log", data=file, content_type=LINES)


@pytest.fixture
def file() -> bytes:
    """A log of three events, exported."""
    bus = new_bus()
    for number in range(1, 4):
        bus.post("/events", json={"type": "Happened", "note": f"Look at {number}", "data": [number, 1e15, "Grüße\n"]})
    return bus.get("/log").data


def test_a_file_is_a_header_and_the_stored_events() -> None:
    bus = new_bus()
    bus.post("/events", json={"type": "Happened", "data": 1})

    answer = bus.get("/log")

    header, event, rest = answer.data.split(b"\n")
    assert header == b'{"format":"minibus-log/1","events":1}'
    assert event == bus.get("/events/1").data
    assert rest == b""
    assert answer.headers["Content-Disposition"] == 'attachment; filename="minibus-log.ndjson"'
    assert answer.mimetype == LINES


def test_an_imported_log_exports_as_the_same_file(bus: Bus, file: bytes) -> None:
    answer = put(bus, file)

    assert (answer.status_code, answer.json) == (200, {"status": "OK", "events": 3})
    assert bus.get("/log").data == file
    assert bus.post("/events", json={"type": "Happened"}).json["seq"] == 4


def test_an_imported_log_is_a_replay_for_a_registered_subscriber() -> None:
    log = Log(MemoryStore())
    subscriber = Subscriber("query", "http://127.0.0.1:1", log)
    with log.grown:
        subscriber.register(subscriber.url, log.id, after=0)
    assert subscriber.state == "live"

    log.load(seal(Event("Happened", number), "/test", **stamp()) for number in range(3))
    assert subscriber.state == "replaying"
    assert subscriber.replays(3)

    with log.grown:
        subscriber.acknowledge(3)
    assert subscriber.state == "live"
    assert not subscriber.replays(4)


def test_an_empty_log_can_be_exported_and_imported(bus: Bus) -> None:
    assert put(bus, bus.get("/log").data).json["events"] == 0
    assert put(bus, bus.get("/log").data).json["events"] == 0


def test_the_longest_event_that_can_be_published_can_be_imported(bus: Bus) -> None:
    source = new_bus()
    short = b'{"type":"Happened","data":[%s]}' % b",".join([b"1e15"] * 52_000)
    assert source.post("/events", data=short, content_type="application/json").status_code == 200

    exported = source.get("/log").data

    assert len(short) < MAX_EVENT_BYTES < len(exported)
    assert put(bus, exported).status_code == 200


def test_a_log_with_events_rejects_an_import(bus: Bus, file: bytes) -> None:
    bus.post("/events", json={"type": "Happened"})

    answer = put(bus, file)

    assert answer.status_code == 409
    assert "has 1 events already" in answer.json["errors"][0]["message"]
    assert len(bus.get("/events").json) == 1


def test_a_bus_without_a_log_exports_an_empty_one_and_rejects_an_import(file: bytes) -> None:
    bus = new_bus(NoStore())
    bus.post("/events", json={"type": "Happened"})

    assert bus.get("/log").data == b'{"format":"minibus-log/1","events":0}\n'
    assert put(bus, file).status_code == 409


def test_another_content_type_is_rejected(bus: Bus, file: bytes) -> None:
    answer = bus.put("/log", data=file, content_type="application/json")

    assert answer.status_code == 415
    assert LINES in answer.json["errors"][0]["message"]


def with_line(number: int, change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    """Return a function that changes the JSON of one line of a file."""

    def changed(file: bytes) -> bytes:
        lines = file.splitlines(keepends=True)
        lines[number - 1] = msgspec.json.encode(change(msgspec.json.decode(lines[number - 1]))) + b"\n"
        return b"".join(lines)

    return changed


def without(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda event: {key: value for key, value in event.items() if key != name}


NOT_A_LOG = "Line 1: This is not a log of Minibus"
BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda file: b"", "Line 1: The file ends with 0 events"),
    "another program's file": (lambda file: b"Dear diary,\ntoday\n", NOT_A_LOG),
    "a JSON array": (lambda file: b'[{"type": "Happened"}]\n', NOT_A_LOG),
    "only events": (lambda file: file.partition(b"\n")[2], NOT_A_LOG),
    "a newer format": (with_line(1, lambda header: {**header, "format": "minibus-log/2"}), NOT_A_LOG),
    "a negative count": (with_line(1, lambda header: {**header, "events": -1}), NOT_A_LOG),
    "cut in a line": (lambda file: file[:-9], "Line 4: The line is cut off"),
    "cut at the end of a line": (
        lambda file: b"".join(file.splitlines(keepends=True)[:-1]),
        "Line 4: The file ends with 2 events; line 1 promises 3",
    ),
    "too many events": (
        with_line(1, lambda header: {**header, "events": 2}),
        "Line 5: The file ends with 3 events; line 1 pr",
    ),
    "no JSON": (lambda file: file.replace(b'"Look at 2"', b'"Look at 2'), "Line 3: This is not JSON"),
    "no UTF-8": (lambda file: file.replace(b"Look at 2", b"Look at \xff"), "Line 3: This is not JSON"),
    "an empty line": (lambda file: file.replace(b"\n", b"\n\n", 1), "Line 2: This is not JSON"),
    "nested without end": (
        lambda file: file.replace(b"[2,", b"[" * 100_000),
        "Line 3: This is not JSON",
    ),
    "no object": (with_line(3, lambda event: [event]), "Line 3: An event must be a JSON object, not an array"),
    "no id": (with_line(3, without("id")), "Line 3: The event has no id"),
    "the course's bare event": (
        with_line(3, lambda _: {"type": "A", "data": 1}),
        "Line 3: The event has no specversion",
    ),
    "no seq": (with_line(3, without("seq")), "Line 3: The event has no seq"),
    "no time": (with_line(3, without("time")), "Line 3: The event has no time"),
    "a bad attribute": (with_line(3, lambda event: {**event, "time": "noon"}), "Line 3: time must be an RFC 3339"),
    "a hole": (with_line(3, lambda event: {**event, "seq": 3}), "Line 3: Event 2 comes next, not 3"),
    "an event twice": (
        lambda file: with_line(4, lambda event: {**msgspec.json.decode(file.splitlines()[1]), "seq": 3})(file),
        "Line 4: The event has the same source and id as line 2",
    ),
    "an endless line": (
        lambda file: file.replace(b"Look at 2", b"x" * log_file.LONGEST_LINE),
        "Line 3: The line is longer",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_rejected_whole_and_the_wrong_line_is_named(bus: Bus, file: bytes, kind: str) -> None:
    spoil, message = BROKEN[kind]
    assert put(bus, spoil(file)).status_code == 422

    [error] = put(bus, spoil(file)).json["errors"]

    assert error["message"].startswith(message)
    assert bus.get("/events").json == []
    assert put(bus, file).status_code == 200


def test_a_file_that_is_too_large_is_rejected(bus: Bus, file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file_routes, "MAX_LOG_BYTES", len(file) - 1)

    assert put(bus, file).status_code == 413


def test_during_an_import_no_other_event_is_stored(bus: Bus, file: bytes) -> None:
    answers: list[Any] = []

    class Upload(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            answers.append(bus.application.test_client().post("/events", json={"type": "Happened"}))
            answers.append(put(bus.application.test_client(), file))
            return super().read(size)

    answer = bus.put("/log", input_stream=Upload(file), content_type=LINES)

    assert answer.status_code == 200
    assert {rejection.status_code for rejection in answers} == {503}
    assert {rejection.headers["Retry-After"] for rejection in answers} == {"2"}
    assert bus.get("/log").data == file
    assert bus.post("/events", json={"type": "Happened"}).json["seq"] == 4
