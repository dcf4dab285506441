"""Publish, read, register and look back over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import responses
from event_bus.app import create_bus
from event_bus.delivery import service_client
from event_bus.http.events import MAX_BATCH_EVENTS
from event_bus.http.guard import Guard
from event_bus.log.store.memory import MemoryStore
from event_bus.log.store.none import NoStore
from minibus.core.event import MAX_EVENT_BYTES

BATCH = "application/cloudevents-batch+json"
URL = "http://127.0.0.1:1"
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


def message(answer: Any) -> str:
    return answer.json["errors"][0]["message"]


class TestPublishing:
    def test_a_client_of_the_course_publishes_and_reads(self, bus: Bus) -> None:
        answer = bus.post("/events", json={"type": "PostCreated", "data": {"id": "1", "title": "Hello"}})

        assert (answer.status_code, answer.json["status"], answer.json["seq"]) == (200, "OK", 1)
        [event] = bus.get("/events").json
        assert (event["type"], event["data"]) == ("PostCreated", {"id": "1", "title": "Hello"})

    def test_the_same_event_again_gets_the_first_answer_again(self, bus: Bus) -> None:
        event = {"id": "1", "source": "/s", "type": "Happened"}

        answers = [bus.post("/events", json=event).json for _ in range(2)]

        assert answers[0] == answers[1] == {"status": "OK", "seq": 1, "id": "1"}
        assert len(bus.get("/events").json) == 1

    def test_a_batch_is_stored_in_its_order(self, bus: Bus) -> None:
        answer = publish(bus, *happened(1, 2, 3))

        assert [place["seq"] for place in answer.json["events"]] == [1, 2, 3]
        assert [event["data"] for event in bus.get("/events").json] == [1, 2, 3]
        assert publish(bus).json == {"status": "OK", "events": []}

    def test_a_batch_with_one_bad_event_stores_nothing_and_names_that_event(self, bus: Bus) -> None:
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
    def test_a_body_that_is_not_an_event_is_rejected_in_the_one_shape(
        self, bus: Bus, body: bytes, media_type: str, status: int
    ) -> None:
        answer = bus.post("/events", data=body, content_type=media_type)

        assert answer.status_code == status
        assert message(answer)
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

    def test_after_and_type_filter_events(self, bus: Bus) -> None:
        publish(bus, {"type": "A"}, {"type": "B"}, {"type": "A"})

        assert [event["seq"] for event in bus.get("/events?after=1").json] == [2, 3]
        assert [event["seq"] for event in bus.get("/events?type=A&after=1").json] == [3]
        assert bus.get("/events?after=3").json == bus.get("/events?after=99").json == []
        assert bus.get("/events?limit=0").json == []

    def test_one_event_has_a_url(self, bus: Bus) -> None:
        publish(bus, *happened(1, 2))

        assert bus.get("/events/2").json["data"] == 2
        assert bus.get("/events/3").status_code == bus.get("/events/0").status_code == 404

    @pytest.mark.parametrize("wrong", ["after=-1", "after=x", "limit=1.5", "after=", "limit=²"])
    def test_a_parameter_that_is_not_a_number_is_rejected_by_name(self, bus: Bus, wrong: str) -> None:
        answer = bus.get(f"/events?{wrong}")

        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == wrong.split("=", maxsplit=1)[0]

    def test_a_stream_of_another_log_begins_with_a_reset(self, bus: Bus) -> None:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": "another:7"}
        log_id = bus.put("/subscribers/test", json={"url": URL}).json["log_id"]

        with bus.get("/events", headers=headers) as answer:
            first = next(answer.response)

        reset = b'event: reset\ndata: {"log_id":"%s","log":"%s"}' % ((log_id.encode(),) * 2)
        assert reset in first


BAD_REGISTRATIONS = [
    {},
    {"url": 7},
    {"url": "ftp://127.0.0.1"},
    {"url": "127.0.0.1:4002"},
    {"url": "http://127.0.0.1:4002", "after": -1},
    {"url": "http://127.0.0.1:4002", "after": "3"},
    {"url": "http://127.0.0.1:4002", "surprise": True},
]


class TestRegistration:
    @pytest.mark.parametrize("name", ["log_id", "log"])
    def test_a_registration_names_the_log_by_its_id_or_by_the_older_name(self, bus: Bus, name: str) -> None:
        publish(bus, *happened(1, 2, 3))
        first = bus.put("/subscribers/test", json={"url": URL}).json

        again = bus.put("/subscribers/test", json={"url": URL, name: first["log_id"], "after": 3}).json

        assert first["log_id"] == first["log"]
        assert (first["position"], again["position"]) == (0, 3)

    @pytest.mark.parametrize("registration", BAD_REGISTRATIONS)
    def test_a_bad_registration_is_rejected(self, bus: Bus, registration: Any) -> None:
        assert bus.put("/subscribers/test", json=registration).status_code == 422
        assert bus.get("/subscribers").json == {}

    def test_a_bad_name_is_rejected(self, bus: Bus) -> None:
        answer = bus.put("/subscribers/No Name!", json={"url": URL})

        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "name")

    def test_a_bus_without_a_log_takes_no_registrations(self) -> None:
        bus = create_bus(NoStore(), {}, Guard({})).test_client()

        answer = bus.put("/subscribers/test", json={"url": URL})

        assert answer.status_code == 404
        assert "EVENT_STORE=none" in message(answer)

    def test_a_service_that_stops_is_down_at_once(self, bus: Bus) -> None:
        bus.put("/subscribers/test", json={"url": URL})

        answer = bus.put("/subscribers/test", json={"url": URL, "stopping": True})

        assert (answer.json["state"], answer.json["last_error"]) == ("down", "the service has stopped")
        assert bus.put("/subscribers/other", json={"url": URL, "stopping": True}).status_code == 404

    @pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 200), ("posts", 422)])
    def test_only_hosts_that_the_bus_knows_may_register(self, bus: Bus, host: str, status: int) -> None:
        assert bus.put("/subscribers/test", json={"url": f"http://{host}:1"}).status_code == status


MOMENT = {"at": 1, "event": None, "handler": None, "state": {"a": 1}, "entities": 1}


class TestLookBack:
    @pytest.fixture(autouse=True)
    def service(self, bus: Bus) -> Iterator[responses.RequestsMock]:
        publish(bus, *happened(1))
        bus.put("/subscribers/query", json={"url": URL, "after": 1})
        with responses.RequestsMock(assert_all_requests_are_fired=False) as service:
            service.post(f"{URL}/events", json={"position": 1})
            yield service

    @pytest.mark.parametrize("what", ["state", "changes", "handlers"])
    def test_the_answer_is_the_services_own(self, bus: Bus, service: responses.RequestsMock, what: str) -> None:
        answered = service.get(f"{URL}/{what}", json={"a": 1})

        answer = bus.get(f"/subscribers/query/{what}?at=1&skip=1*")

        assert (answer.status_code, answer.json) == (200, {"a": 1})
        assert answered.calls[0].request.params == {"at": "1", "skip": "1*"}

    def test_one_request_answers_everything_about_a_moment(self, bus: Bus, service: responses.RequestsMock) -> None:
        service.get(f"{URL}/moment", json=MOMENT)

        assert bus.get("/subscribers/query/moment?at=0&last=20").json == MOMENT | {"chain": []}

    def test_a_moment_has_the_chain_of_its_event(self, bus: Bus, service: responses.RequestsMock) -> None:
        [first] = bus.get("/events").json
        effect = first | {"id": "the effect", "type": "Counted", "causationid": first["id"]}
        publish(bus, effect, *happened(2))
        service.get(f"{URL}/moment", json=MOMENT | {"event": first})

        answer = bus.get("/subscribers/query/moment?at=1").json

        assert answer["event"] == first
        assert [event["id"] for event in answer["chain"]] == [first["id"], effect["id"]]

    @pytest.mark.parametrize("answer", [[], {}, {"event": 1}, {"event": {"correlationid": 1}}])
    def test_a_moment_that_is_none_is_not_passed_on(
        self, bus: Bus, service: responses.RequestsMock, answer: Any
    ) -> None:
        service.get(f"{URL}/moment", json=answer)

        assert bus.get("/subscribers/query/moment?at=1").status_code == 503

    def test_an_older_service_without_moments_is_named(self, bus: Bus, service: responses.RequestsMock) -> None:
        service.get(f"{URL}/moment", status=404, json={"errors": [{"message": "There is nothing at this address."}]})

        answer = bus.get("/subscribers/query/moment?at=1")

        assert answer.status_code == 501
        assert message(answer).startswith("query is an older service without /moment; update it")

    @pytest.mark.parametrize("what", ["state", "changes", "moment"])
    def test_a_position_beyond_the_head_is_rejected(self, bus: Bus, what: str) -> None:
        field = "to" if what == "changes" else "at"

        answer = bus.get(f"/subscribers/query/{what}?{field}=2")

        assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, field)
        assert message(answer) == "The log ends at 1; 2 is beyond it."

    def test_a_service_that_is_down_cannot_answer(self, bus: Bus, service: responses.RequestsMock) -> None:
        answer = bus.get("/subscribers/query/state")

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert message(answer) == "query is down. Start it to look back."

    def test_a_page_of_a_subscriber_never_becomes_a_page_of_the_bus(
        self, bus: Bus, service: responses.RequestsMock
    ) -> None:
        service.get(f"{URL}/state", body="<script>alert(1)</script>", content_type="text/html")

        answer = bus.get("/subscribers/query/state")

        assert (answer.status_code, answer.content_type) == (503, "application/json")
        assert message(answer) == "query does not answer as a service of the blog does."

    def test_a_state_without_end_is_cut_off(
        self, bus: Bus, service: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service_client, "LONGEST_STATE", 1000)
        service.get(f"{URL}/state", json="x" * 100_000)

        answer = bus.get("/subscribers/query/state")

        assert answer.status_code == 503
        assert message(answer) == "query is down. Start it to look back."
