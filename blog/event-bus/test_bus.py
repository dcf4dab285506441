"""The bus over HTTP, and its couriers against subscribers that behave in every way."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
import responses
from event_bus.app import create_bus
from event_bus.delivery import courier, subscriber
from event_bus.http import subscribers as subscribers_api
from event_bus.http.events import MAX_BATCH_EVENTS
from event_bus.http.guard import Guard
from event_bus.log.store import StoreError
from event_bus.log.store.memory import MemoryStore
from minibus.core.event import MAX_EVENT_BYTES

BATCH = "application/cloudevents-batch+json"
Answer = tuple[int, Any]
Bus = Any  # a FlaskClient, whose answers' JSON is anything


@pytest.fixture
def bus() -> Iterator[Bus]:
    app = create_bus(MemoryStore(), {}, Guard({}))
    yield app.test_client()
    app.extensions["minibus"].stop(patience=0)


def publish(bus: Bus, *events: Any) -> Any:
    return bus.post("/events", data=msgspec.json.encode(list(events)), content_type=BATCH)


def happened(*numbers: int) -> list[dict[str, Any]]:
    return [{"type": "Happened", "data": number} for number in numbers]


def eventually(condition: Callable[[], Any], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)


class TestPublishing:
    def test_the_course_publishes_and_reads_as_it_always_did(self, bus: Bus) -> None:
        answer = bus.post("/events", json={"type": "PostCreated", "data": {"id": "1", "title": "Hello"}})

        assert (answer.status_code, answer.json["status"], answer.json["seq"]) == (200, "OK", 1)
        [event] = bus.get("/events").json
        assert (event["type"], event["data"]) == ("PostCreated", {"id": "1", "title": "Hello"})

    def test_publishing_again_gets_the_first_answer_again(self, bus: Bus) -> None:
        event = {"id": "1", "source": "/s", "type": "Happened"}

        answers = [bus.post("/events", json=event).json for _ in range(2)]

        assert answers[0] == answers[1] == {"status": "OK", "seq": 1, "id": "1"}
        assert len(bus.get("/events").json) == 1

    def test_a_batch_is_stored_in_its_order(self, bus: Bus) -> None:
        answer = publish(bus, *happened(1, 2, 3))

        assert [place["seq"] for place in answer.json["events"]] == [1, 2, 3]
        assert [event["data"] for event in bus.get("/events").json] == [1, 2, 3]
        assert publish(bus).json == {"status": "OK", "events": []}

    def test_a_batch_with_one_bad_event_stores_nothing_and_says_which(self, bus: Bus) -> None:
        answer = publish(bus, *happened(1, 2), {"data": "no type"})

        assert answer.status_code == 422
        assert answer.json == {"errors": [{"message": "Event 3 of 3: The event has no type.", "field": "type"}]}
        assert bus.get("/events").json == []

    @pytest.mark.parametrize(
        ("body", "media_type", "status"),
        [
            (b"{", "application/json", 400),
            (b"\xff", "application/json", 400),
            (b"[]", "application/json", 422),
            (b"{}", BATCH, 422),
            (b"{}", "text/plain", 415),
            (b'{"type": "T", "data": "' + b"x" * MAX_EVENT_BYTES + b'"}', "application/json", 413),
            (b'[{"type": "T", "data": "' + b"x" * MAX_EVENT_BYTES + b'"}]', BATCH, 413),
            (b"[" + b"{}," * MAX_BATCH_EVENTS + b"{}]", BATCH, 413),
            (b'["' + b"x" * 8 * 1024 * 1024 + b'"]', BATCH, 413),
        ],
    )
    def test_what_is_no_event_is_refused_in_the_one_shape(
        self, bus: Bus, body: bytes, media_type: str, status: int
    ) -> None:
        answer = bus.post("/events", data=body, content_type=media_type)

        assert answer.status_code == status
        assert answer.json["errors"][0]["message"]
        assert bus.get("/events").json == []


class TestReading:
    def test_pages_link_to_the_next_until_the_head(self, bus: Bus) -> None:
        publish(bus, *happened(1, 2, 3, 4, 5))
        url, pages = "/events?limit=2", []
        while url:
            answer = bus.get(url)
            pages.append([event["seq"] for event in answer.json])
            link = answer.headers.get("Link", "")
            url = link[link.find("<") + 1 : link.find(">")] if link else ""

        assert pages == [[1, 2], [3, 4], [5]]

    def test_after_and_type_choose(self, bus: Bus) -> None:
        publish(bus, {"type": "A"}, {"type": "B"}, {"type": "A"})

        assert [event["seq"] for event in bus.get("/events?after=1").json] == [2, 3]
        assert [event["seq"] for event in bus.get("/events?type=A&after=1").json] == [3]
        assert bus.get("/events?after=3").json == bus.get("/events?after=99").json == []
        assert bus.get("/events?limit=0").json == []

    def test_one_event_has_an_address(self, bus: Bus) -> None:
        publish(bus, *happened(1, 2))

        assert bus.get("/events/2").json["data"] == 2
        assert bus.get("/events/3").status_code == bus.get("/events/0").status_code == 404

    @pytest.mark.parametrize("wrong", ["after=-1", "after=x", "limit=1.5", "after=", "limit=²"])
    def test_what_is_no_number_is_refused_by_name(self, bus: Bus, wrong: str) -> None:
        answer = bus.get(f"/events?{wrong}")

        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == wrong.split("=", maxsplit=1)[0]


class Listener:
    """A subscriber of the test's own; `answer(headers, events)` decides what it says."""

    def __init__(self, answer: Callable[[dict[str, str], list[Any]], Answer | None]) -> None:
        self.heard: list[list[int]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                events = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
                events = events if isinstance(events, list) else [events]
                listener.heard.append([event["seq"] for event in events])
                said = answer(dict(self.headers), events)
                if said is None:
                    self.close_connection = True
                    return
                body = msgspec.json.encode(said[1])
                self.send_response(said[0])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    open_now: list[Listener] = []

    def start(answer: Callable[[dict[str, str], list[Any]], Answer | None]) -> Listener:
        open_now.append(Listener(answer))
        return open_now[-1]

    yield start
    for listener in open_now:
        listener.close()


def take_all(headers: dict[str, str], events: list[Any]) -> Answer:
    return 200, {"position": events[-1]["seq"]}


def register(bus: Bus, listener: Listener, after: int = 0, log: str | None = None) -> Any:
    answer = bus.put("/subscribers/test", json={"url": listener.url, "log": log, "after": after})
    assert answer.status_code == 200, answer.text
    return answer.json


def state_of(bus: Bus, name: str = "test") -> Any:
    return bus.get(f"/subscribers/{name}").json


NO_POSITIONS = [(500, {"position": 1}), (401, {}), (302, {}), (409, {"position": 0}), (422, {"position": 0})]


class TestDelivery:
    def test_the_log_is_carried_in_order_in_batches(self, bus: Bus, listen: Callable[..., Listener]) -> None:
        for _ in range(3):
            publish(bus, *happened(*range(1000)))
        listener = listen(take_all)

        answer = register(bus, listener)
        eventually(lambda: state_of(bus)["lag"] == 0)
        publish(bus, *happened(1, 2))
        eventually(lambda: state_of(bus)["position"] == 3002)

        assert (answer["head"], answer["state"]) == (3000, "replaying")
        assert [seq for batch in listener.heard for seq in batch] == list(range(1, 3003))
        assert len(listener.heard) <= 6
        assert state_of(bus)["state"] == "live"

    def test_a_delivery_names_the_log_and_its_head(self, bus: Bus, listen: Callable[..., Listener]) -> None:
        headers: dict[str, str] = {}
        publish(bus, *happened(1))
        listener = listen(lambda sent, events: headers.update(sent) or take_all(sent, events))

        log = register(bus, listener)["log"]
        eventually(lambda: state_of(bus)["position"] == 1)

        assert (headers["Minibus-Log"], headers["Minibus-Head"]) == (log, "1")

    def test_a_subscriber_with_a_gap_is_taken_back(self, bus: Bus, listen: Callable[..., Listener]) -> None:
        publish(bus, *happened(1, 2, 3, 4))
        listener = listen(lambda _, events: (409, {"position": 1}) if events[0]["seq"] > 2 else take_all(_, events))
        log = bus.put("/subscribers/test", json={"url": listener.url, "after": 0}).json["log"]
        eventually(lambda: state_of(bus)["position"] == 4)

        register(bus, listener, after=3, log=log)
        eventually(lambda: state_of(bus)["position"] == 4)

        assert listener.heard == [[1, 2, 3, 4], [4], [2, 3, 4]]

    @pytest.mark.parametrize(("after", "log"), [(2, "another"), (99, None), (2, None)])
    def test_another_log_or_a_place_beyond_the_head_means_0(
        self, bus: Bus, listen: Callable[..., Listener], after: int, log: str | None
    ) -> None:
        publish(bus, *happened(1, 2, 3))
        listener = listen(take_all)

        register(bus, listener, after, log)
        eventually(lambda: state_of(bus)["position"] == 3)

        assert listener.heard == [[1, 2, 3]]

    def test_who_was_away_gets_everything_when_it_is_back(
        self, bus: Bus, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(courier, "BACK_OFF", (0.01, 0.05))
        away = threading.Event()
        away.set()
        listener = listen(lambda _, events: None if away.is_set() else take_all(_, events))
        register(bus, listener)
        publish(bus, *happened(1))
        eventually(lambda: state_of(bus)["state"] == "down")
        publish(bus, *happened(2))
        eventually(lambda: len(listener.heard) > 3)
        assert state_of(bus)["last_error"]

        away.clear()

        eventually(lambda: (state_of(bus)["state"], state_of(bus)["lag"]) == ("live", 0))
        assert listener.heard[-1] == [1, 2]

    def test_a_log_that_could_not_be_read_for_a_while_is_carried_then(
        self, bus: Bus, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failures: list[int] = []
        read = MemoryStore.read

        def fail_at_first(store: MemoryStore, *question: Any) -> Any:
            if len(failures) < 3:
                failures.append(1)
                raise StoreError("cannot read: disk I/O error")
            return read(store, *question)

        monkeypatch.setattr(courier, "BACK_OFF", (0.01, 0.01))
        monkeypatch.setattr(MemoryStore, "read", fail_at_first)
        publish(bus, *happened(1, 2))
        listener = listen(take_all)
        register(bus, listener)

        eventually(lambda: state_of(bus)["lag"] == 0)

        assert (len(failures), listener.heard) == (3, [[1, 2]])

    @pytest.mark.parametrize("answer", NO_POSITIONS)
    def test_an_answer_without_a_position_is_no_acknowledgement(
        self, bus: Bus, listen: Callable[..., Listener], answer: Answer
    ) -> None:
        listener = listen(lambda *_: answer)
        register(bus, listener)
        publish(bus, *happened(1))

        eventually(lambda: state_of(bus)["state"] == "down")
        assert state_of(bus)["position"] == 0

    def test_one_that_hangs_does_not_hold_up_another(self, bus: Bus, listen: Callable[..., Listener]) -> None:
        release = threading.Event()
        listener = listen(take_all)
        hanging = listen(lambda _, events: release.wait(10) and take_all(_, events))
        register(bus, listener)
        bus.put("/subscribers/hanging", json={"url": hanging.url})
        publish(bus, *happened(1))
        eventually(lambda: len(hanging.heard) == 1)

        publish(bus, *happened(2))
        eventually(lambda: state_of(bus)["position"] == 2)

        assert state_of(bus, "hanging")["position"] == 0
        release.set()
        eventually(lambda: state_of(bus, "hanging")["position"] == 2)

    def test_only_an_event_that_is_refused_again_and_again_is_parked(
        self, bus: Bus, listen: Callable[..., Listener]
    ) -> None:
        skipped: list[str] = []

        def choke_on_2(headers: dict[str, str], events: list[Any]) -> Answer:
            skipped.append(headers["Minibus-Skip"])
            if headers["Minibus-Skip"] == "2":
                return take_all(headers, events)
            return 422, {"position": 1, "refused": 2, "error": "ValueError: no"}

        register(bus, listen(choke_on_2))
        publish(bus, *happened(1, 2, 3))

        eventually(lambda: state_of(bus)["position"] == 3)
        assert skipped == ["", "", "", "2"]
        assert state_of(bus)["parked"] == [2]

    def test_goodbye_shows_at_once(self, bus: Bus, listen: Callable[..., Listener]) -> None:
        listener = listen(take_all)
        register(bus, listener)
        assert state_of(bus)["state"] == "live"

        bus.put("/subscribers/test", json={"url": listener.url, "stopping": True})

        assert state_of(bus)["state"] == "down"

    def test_silence_shows_after_a_while(
        self, bus: Bus, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        register(bus, listen(take_all))
        assert state_of(bus)["state"] == "live"

        monkeypatch.setattr(subscriber, "SILENCE", 0)

        assert state_of(bus)["state"] == "down"

    def test_a_forgotten_subscriber_hears_nothing_more(self, bus: Bus, listen: Callable[..., Listener]) -> None:
        listener = listen(take_all)
        register(bus, listener)

        assert bus.delete("/subscribers/test").status_code == 204
        publish(bus, *happened(1))

        assert bus.get("/subscribers").json == {}
        assert bus.get("/subscribers/test").status_code == bus.delete("/subscribers/test").status_code == 404
        assert listener.heard == []


BAD_WORDS = [
    {},
    {"url": 7},
    {"url": "ftp://127.0.0.1"},
    {"url": "127.0.0.1:4002"},
    {"url": "http://127.0.0.1:4002", "after": -1},
    {"url": "http://127.0.0.1:4002", "after": "3"},
    {"url": "http://127.0.0.1:4002", "surprise": True},
]


@pytest.mark.parametrize("word", BAD_WORDS)
def test_a_bad_registration_is_refused(bus: Bus, word: Any) -> None:
    assert bus.put("/subscribers/test", json=word).status_code == 422
    assert bus.get("/subscribers").json == {}


def test_a_bad_name_is_refused(bus: Bus) -> None:
    assert bus.put("/subscribers/No Name!", json={"url": "http://127.0.0.1:1"}).status_code == 422


def test_the_state_of_who_is_away_cannot_be_asked(bus: Bus) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        bus.put("/subscribers/gone", json={"url": f"http://127.0.0.1:{nobody.getsockname()[1]}"})
        answer = bus.get("/subscribers/gone/state")

    assert answer.status_code == 503
    assert answer.json["errors"][0]["message"] == "gone is down; start it to look."
    assert bus.get("/subscribers/gone/state?at=1").status_code == 422


@responses.activate
def test_a_page_that_a_subscriber_answers_with_never_becomes_a_page_of_the_bus(bus: Bus) -> None:
    bus.put("/subscribers/evil", json={"url": "http://127.0.0.1:1"})
    responses.get("http://127.0.0.1:1/state", body="<script>alert(1)</script>", content_type="text/html")

    answer = bus.get("/subscribers/evil/state")

    assert (answer.status_code, answer.content_type) == (503, "application/json")
    assert answer.json["errors"][0]["message"] == "evil does not answer as a service of the blog does."


@responses.activate
def test_a_state_that_does_not_end_is_given_up(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribers_api, "LONGEST_STATE", 1000)
    bus.put("/subscribers/evil", json={"url": "http://127.0.0.1:1"})
    responses.get("http://127.0.0.1:1/state", json="x" * 100_000)

    answer = bus.get("/subscribers/evil/state")

    assert answer.status_code == 503
    assert answer.json["errors"][0]["message"] == "evil is down; start it to look."
