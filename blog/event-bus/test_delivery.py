"""Couriers against subscribers that answer in every way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
import responses
from event_bus.app import create_bus
from event_bus.delivery import courier, subscriber
from event_bus.delivery.listed import COURSE, is_foreign, read_listed
from event_bus.delivery.service_client import NotOurService, ServiceAway, ServiceClient
from event_bus.http.guard import Guard
from event_bus.log.store.interface import StoreError
from event_bus.log.store.memory import MemoryStore

from harness.waiting import eventually

BATCH = "application/cloudevents-batch+json"
Answer = tuple[int, Any]
Bus = Any  # a FlaskClient, whose answers' JSON is anything


@pytest.fixture
def bus() -> Iterator[Bus]:
    app = create_bus(MemoryStore(), {}, Guard({}))
    yield app.test_client()
    app.extensions["minibus"].stop(patience=0)


def publish(bus: Bus, *numbers: int) -> None:
    events = [{"type": "Happened", "data": number} for number in numbers]
    assert bus.post("/events", data=msgspec.json.encode(events), content_type=BATCH).status_code == 200


class Server:
    """A subscriber's HTTP server. `answer(headers, events)` returns a status and JSON, or `None` to hang up."""

    def __init__(self, answer: Callable[[dict[str, str], list[Any]], Answer | None]) -> None:
        self.received: list[list[int]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                events = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
                events = events if isinstance(events, list) else [events]
                server.received.append([event["seq"] for event in events])
                answered = answer(dict(self.headers), events)
                if answered is None:
                    self.close_connection = True
                    return
                body = msgspec.json.encode(answered[1])
                self.send_response(answered[0])
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


Serve = Callable[[Callable[[dict[str, str], list[Any]], Answer | None]], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(answer: Callable[[dict[str, str], list[Any]], Answer | None]) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def apply_all(headers: dict[str, str], events: list[Any]) -> Answer:
    return 200, {"position": events[-1]["seq"]}


def register(bus: Bus, server: Server, after: int = 0, log_id: str | None = None) -> Any:
    answer = bus.put("/subscribers/test", json={"url": server.url, "log_id": log_id, "after": after})
    assert answer.status_code == 200, answer.text
    return answer.json


def state_of(bus: Bus, name: str = "test") -> Any:
    return bus.get(f"/subscribers/{name}").json


NOT_ACKNOWLEDGED = [(500, {"position": 1}), (401, {}), (302, {}), (409, {"position": 0}), (422, {"position": 0})]


class TestRegistered:
    def test_events_arrive_in_order_in_batches(self, bus: Bus, serve: Serve) -> None:
        for _ in range(3):
            publish(bus, *range(1000))
        server = serve(apply_all)

        answer = register(bus, server)
        eventually(lambda: state_of(bus)["lag"] == 0)
        publish(bus, 1, 2)
        eventually(lambda: state_of(bus)["position"] == 3002)

        assert (answer["head"], answer["state"]) == (3000, "replaying")
        assert [seq for batch in server.received for seq in batch] == list(range(1, 3003))
        assert len(server.received) <= 6
        assert state_of(bus)["state"] == "live"

    def test_a_delivery_names_the_log_and_its_head(self, bus: Bus, serve: Serve) -> None:
        headers: dict[str, str] = {}
        publish(bus, 1)
        server = serve(lambda sent, events: headers.update(sent) or apply_all(sent, events))

        log_id = register(bus, server)["log_id"]
        eventually(lambda: state_of(bus)["position"] == 1)

        assert (headers["Minibus-Log"], headers["Minibus-Head"]) == (log_id, "1")

    def test_after_a_gap_the_bus_goes_back(self, bus: Bus, serve: Serve) -> None:
        publish(bus, 1, 2, 3, 4)
        server = serve(lambda _, events: (409, {"position": 1}) if events[0]["seq"] > 2 else apply_all(_, events))
        log_id = register(bus, server)["log_id"]
        eventually(lambda: state_of(bus)["position"] == 4)

        register(bus, server, after=3, log_id=log_id)
        eventually(lambda: state_of(bus)["position"] == 4)

        assert server.received == [[1, 2, 3, 4], [4], [2, 3, 4]]

    @pytest.mark.parametrize(("after", "log_id"), [(2, "another"), (99, None), (2, None)])
    def test_another_log_or_a_position_beyond_the_head_means_0(
        self, bus: Bus, serve: Serve, after: int, log_id: str | None
    ) -> None:
        publish(bus, 1, 2, 3)
        server = serve(apply_all)

        register(bus, server, after, log_id)
        eventually(lambda: state_of(bus)["position"] == 3)

        assert server.received == [[1, 2, 3]]

    def test_a_subscriber_that_was_down_gets_every_event_when_it_is_up(
        self, bus: Bus, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(courier, "BACK_OFF", (0.01, 0.05))
        down = threading.Event()
        down.set()
        server = serve(lambda _, events: None if down.is_set() else apply_all(_, events))
        register(bus, server)
        publish(bus, 1)
        eventually(lambda: state_of(bus)["state"] == "down")
        publish(bus, 2)
        eventually(lambda: len(server.received) > 3)
        assert state_of(bus)["last_error"] == "no answer at this address"

        down.clear()

        eventually(lambda: (state_of(bus)["state"], state_of(bus)["lag"]) == ("live", 0))
        assert server.received[-1] == [1, 2]

    def test_a_log_that_could_not_be_read_is_delivered_later(
        self, bus: Bus, serve: Serve, monkeypatch: pytest.MonkeyPatch
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
        publish(bus, 1, 2)
        server = serve(apply_all)
        register(bus, server)

        eventually(lambda: state_of(bus)["lag"] == 0)

        assert (len(failures), server.received) == (3, [[1, 2]])

    @pytest.mark.parametrize("answer", NOT_ACKNOWLEDGED)
    def test_an_unexpected_answer_is_not_an_acknowledgement(self, bus: Bus, serve: Serve, answer: Answer) -> None:
        server = serve(lambda *_: answer)
        register(bus, server)
        publish(bus, 1)

        eventually(lambda: state_of(bus)["state"] == "down")
        assert (state_of(bus)["position"], state_of(bus)["mode"]) == (0, "registered")

    def test_a_subscriber_that_hangs_does_not_delay_another(self, bus: Bus, serve: Serve) -> None:
        release = threading.Event()
        hanging = serve(lambda _, events: apply_all(_, events) if release.wait(10) else None)
        register(bus, serve(apply_all))
        bus.put("/subscribers/hanging", json={"url": hanging.url})
        publish(bus, 1)
        eventually(lambda: len(hanging.received) == 1)

        publish(bus, 2)
        eventually(lambda: state_of(bus)["position"] == 2)

        assert state_of(bus, "hanging")["position"] == 0
        release.set()
        eventually(lambda: state_of(bus, "hanging")["position"] == 2)

    def test_an_event_is_parked_after_three_refusals(self, bus: Bus, serve: Serve) -> None:
        skipped: list[str] = []

        def refuse_2(headers: dict[str, str], events: list[Any]) -> Answer:
            skipped.append(headers["Minibus-Skip"])
            if headers["Minibus-Skip"] == "2":
                return apply_all(headers, events)
            return 422, {"position": 1, "refused": 2, "error": "ValueError: no"}

        register(bus, serve(refuse_2))
        publish(bus, 1, 2, 3)

        eventually(lambda: state_of(bus)["position"] == 3)
        assert skipped == ["", "", "", "2"]
        assert state_of(bus)["parked"] == [2]

    def test_a_silent_subscriber_is_down_after_a_while(
        self, bus: Bus, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        register(bus, serve(apply_all))
        assert state_of(bus)["state"] == "live"

        monkeypatch.setattr(subscriber, "SILENCE", 0)

        assert state_of(bus)["state"] == "down"

    def test_an_ephemeral_subscriber_is_removed_after_its_silence(self, bus: Bus, serve: Serve) -> None:
        bus.put("/subscribers/test", json={"url": serve(apply_all).url, "ephemeral": 0.01})

        eventually(lambda: bus.get("/subscribers").json == {})

    def test_a_removed_subscriber_gets_no_events(self, bus: Bus, serve: Serve) -> None:
        server = serve(apply_all)
        register(bus, server)

        assert bus.delete("/subscribers/test").status_code == 204
        publish(bus, 1)

        assert bus.get("/subscribers").json == {}
        assert bus.get("/subscribers/test").status_code == bus.delete("/subscribers/test").status_code == 404
        assert server.received == []


class TestListed:
    def test_each_event_goes_out_once_alone(self, serve: Serve) -> None:
        server = serve(lambda *_: (500, {}))
        app = create_bus(MemoryStore(), {"test": server.url}, Guard({}))
        bus = app.test_client()

        publish(bus, 1, 2, 3)
        eventually(lambda: state_of(bus)["position"] == 3)

        assert server.received == [[1], [2], [3]]
        assert state_of(bus)["last_error"] == "answered 500"
        app.extensions["minibus"].stop(patience=0)

    def test_a_server_that_does_not_use_positions_becomes_listed(self, bus: Bus, serve: Serve) -> None:
        server = serve(lambda headers, _: (200, {"status": "OK"}) if "Minibus-Log" not in headers else (404, {}))
        register(bus, server)
        publish(bus, 1, 2)

        eventually(lambda: state_of(bus)["position"] == 2)

        assert state_of(bus)["mode"] == "listed"
        assert server.received == [[1, 2], [1], [2]]

    def test_its_controls_say_why_they_cannot_work(self, bus: Bus, serve: Serve) -> None:
        register(bus, serve(lambda *_: (200, {})))
        publish(bus, 1)
        eventually(lambda: state_of(bus)["mode"] == "listed")

        answer = bus.patch("/subscribers/test", json={"paused": True})

        assert answer.status_code == 409
        assert "is listed: it does not answer with a position" in answer.json["errors"][0]["message"]

    @pytest.mark.parametrize(
        ("status", "left", "foreign"),
        [
            (200, False, True),  # an Express service answers 200 to every body
            (404, False, True),
            (500, False, False),  # our own service may have failed
            (500, True, True),
            (503, True, False),  # our own service may be starting
            (401, True, False),
        ],
    )
    def test_a_foreign_server_is_told_from_our_own(self, status: int, left: bool, foreign: bool) -> None:
        assert is_foreign(status, left) is foreign

    def test_the_courses_services_are_listed_by_default(self) -> None:
        assert read_listed(COURSE)["query"] == "http://127.0.0.1:4002"
        assert read_listed(" a=http://a/ ,, ") == {"a": "http://a"}
        assert read_listed("") == {}

    @pytest.mark.parametrize("wrong", ["query", "=http://a", "query=ftp://a"])
    def test_a_wrong_entry_is_named(self, wrong: str) -> None:
        with pytest.raises(ValueError, match=wrong):
            read_listed(wrong)


class TestServiceClient:
    """What the bus does when a service answers badly."""

    URL = "http://127.0.0.1:1"

    def test_no_server(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"

            with pytest.raises(ServiceAway, match="no answer at this address"):
                ServiceClient(url).forget()

    @responses.activate
    def test_a_redirect_is_an_answer_and_not_followed(self) -> None:
        responses.post(f"{self.URL}/events", status=307, headers={"Location": "http://elsewhere.example/"})

        assert ServiceClient(self.URL).deliver_one(b"{}").status == 307

    @responses.activate
    def test_an_answer_without_end_is_cut_off(self) -> None:
        responses.post(f"{self.URL}/events", body=b"x" * 100_000)

        with pytest.raises(ServiceAway, match="the answer does not end"):
            ServiceClient(self.URL).deliver_one(b"{}")

    @responses.activate
    @pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"position": -1}', b'{"position": true}', b"[" * 10_000])
    def test_an_answer_without_a_position_has_none(self, body: bytes) -> None:
        responses.post(f"{self.URL}/events", body=body)

        assert ServiceClient(self.URL).deliver([b"{}"], "log", 1, [3, 2]).position is None
        assert responses.calls[0].request.headers["Minibus-Skip"] == "2,3"

    @responses.activate
    def test_forgetting_may_fail(self) -> None:
        responses.delete(f"{self.URL}/events", status=404)

        with pytest.raises(ServiceAway, match="answered 404"):
            ServiceClient(self.URL).forget()

    @responses.activate
    def test_only_json_is_a_state(self) -> None:
        responses.get(f"{self.URL}/state", body="<p>Hello", content_type="text/html")

        with pytest.raises(NotOurService, match="answered 200 with text/html"):
            ServiceClient(self.URL).ask("/state", {})
