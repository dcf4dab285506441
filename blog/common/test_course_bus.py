"""A service on a bus of the course's kind: no numbers, no registrations, perhaps no log, one event a request."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest
import responses
from minibus import Event, Service

BUS = "http://127.0.0.1:4005"
NOTE = {"type": "NoteWritten", "id": "id-1", "source": "/notes", "data": {"id": "1", "text": "hello"}}


@pytest.fixture
def service() -> Service:
    service = Service("notes", port=4999)

    @service.on("NoteWritten")
    def add_note(notes: dict[str, Any], note: Any) -> Event:
        notes[note["id"]] = note["text"]
        return Event("NoteRead", {"id": note["id"]})

    return service


def owed_by(service: Service) -> list[Any]:
    return [event.get("causationid") for event in service.replica.core.owed.values()]


@responses.activate
def test_an_event_without_seq_is_applied_as_it_arrives_and_answered_as_in_the_course(service: Service) -> None:
    answer = service.app.test_client().post("/events", json=NOTE)

    assert (answer.json, service.replica.position, service.state) == ({}, 0, {"1": "hello"})
    assert owed_by(service) == ["id-1"]


@responses.activate
@pytest.mark.parametrize("keeps", [True, False])
def test_an_event_that_arrived_before_the_service_read_the_log_is_not_lost(service: Service, keeps: bool) -> None:
    responses.put(f"{BUS}/subscribers/notes", status=404)
    responses.get(f"{BUS}/events", json=[NOTE]) if keeps else responses.get(f"{BUS}/events", status=405)
    service.app.test_client().post("/events", json=NOTE)

    service.link._register()

    assert service.state == {"1": "hello"}
    assert owed_by(service) == ["id-1"]


@responses.activate
def test_a_past_event_without_an_id_causes_no_reaction(service: Service) -> None:
    responses.put(f"{BUS}/subscribers/notes", status=404)
    responses.get(f"{BUS}/events", json=[{"type": "NoteWritten", "data": NOTE["data"]}])

    service.link._register()
    assert (service.state, owed_by(service)) == ({"1": "hello"}, [])

    service.app.test_client().post("/events", json={"type": "NoteWritten", "data": NOTE["data"]})
    assert owed_by(service) == [None]


@responses.activate
def test_what_cannot_be_applied_is_left_out_and_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    responses.put(f"{BUS}/subscribers/notes", status=404)
    responses.get(f"{BUS}/events", json=["no object", {"type": "NoteWritten", "data": "no note"}, NOTE])

    service.link._register()

    assert service.state == {"1": "hello"}
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [error.startswith("cannot apply") for error in errors] == [True, True]


@responses.activate
@pytest.mark.parametrize("status", [404, 405])
def test_a_bus_that_keeps_no_events_holds_none(service: Service, status: int) -> None:
    responses.put(f"{BUS}/subscribers/notes", status=404)
    responses.get(f"{BUS}/events", status=status)

    service.link._register()

    assert service.replica.ever_caught_up
    assert not service.log_has("NoteWritten", "1")


@responses.activate
def test_a_bus_that_returns_all_its_events_is_searched_by_type_and_id(service: Service) -> None:
    others = [None, {"type": "NoteRead", "data": {"id": "2"}}, {"type": "NoteWritten"}]
    responses.get(f"{BUS}/events", json=[*others, NOTE])

    assert service.log_has("NoteWritten", "1")
    assert not service.log_has("NoteWritten", "2")


@responses.activate
def test_reactions_are_published_one_a_request_however_many_are_owed_when_the_log_is_read(service: Service) -> None:
    notes = [{**NOTE, "id": f"id-{number}", "data": {"id": str(number), "text": ""}} for number in range(3)]
    responses.put(f"{BUS}/subscribers/notes", status=404)
    responses.get(f"{BUS}/events", json=notes)
    published: list[Any] = []

    def store(request: Any) -> tuple[int, dict[str, str], str]:
        published.append(msgspec.json.decode(request.body))
        if len(published) == len(notes):
            service.life.stopping.set()
        return 200, {}, "{}"

    responses.add_callback("POST", f"{BUS}/events", store)
    publishing = threading.Thread(target=service.link._publish_owed)
    publishing.start()

    service.link._register()
    publishing.join(10)

    assert [event["causationid"] for event in published] == ["id-0", "id-1", "id-2"]
