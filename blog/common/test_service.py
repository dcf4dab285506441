"""A service as an app: its answers to the bus, to a look back and to a probe. The bus is a fake at the edge."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from flask.testing import FlaskClient
from minibus import ApiError, Event, Service, new_id
from minibus.bus.client import BusAway, BusRefused

BUS = "http://127.0.0.1:4005"


@pytest.fixture
def service() -> Service:
    service = Service("notes", port=4999)

    @service.on("NoteWritten")
    def add_note(notes: dict[str, Any], note: Any) -> Event:
        notes[note["id"]] = note["text"]
        return Event("NoteRead", {"id": note["id"]})

    return service


@pytest.fixture
def app(service: Service) -> Any:
    return service.app.test_client()


def a_note(seq: int, text: str = "hello") -> dict[str, Any]:
    data = {"id": str(seq), "text": text}
    return {"type": "NoteWritten", "id": f"id-{seq}", "source": "/notes", "seq": seq, "data": data}


def test_a_batch_is_acknowledged_with_the_position(app: FlaskClient, service: Service) -> None:
    answer = app.post("/events", json=[a_note(1), a_note(2)], headers={"Minibus-Log": "log", "Minibus-Head": "2"})

    assert (answer.status_code, answer.json) == (200, {"position": 2})
    assert service.state == {"1": "hello", "2": "hello"}
    assert app.get("/state").json == {"at": 2, "state": service.state, "skipped": []}


def test_a_gap_is_a_409_with_the_position(app: FlaskClient) -> None:
    answer = app.post("/events", json=[a_note(3)])

    assert answer.status_code == 409
    assert answer.json == {"position": 0, "errors": [{"message": "Event 1 must come first."}]}


def test_a_handler_that_raises_is_a_422_that_names_the_event(app: FlaskClient) -> None:
    poison = {**a_note(2), "data": None}

    answer = app.post("/events", json=[a_note(1), poison])

    assert answer.status_code == 422
    assert (answer.json or {})["position"] == 1
    assert (answer.json or {})["refused"] == 2


def test_another_log_starts_over(app: FlaskClient, service: Service) -> None:
    app.post("/events", json=[a_note(1), a_note(2)], headers={"Minibus-Log": "first", "Minibus-Head": "2"})

    answer = app.post("/events", json=[a_note(1, "new")], headers={"Minibus-Log": "second", "Minibus-Head": "1"})

    assert answer.json == {"position": 1}
    assert service.state == {"1": "new"}


def test_forgetting_starts_over(app: FlaskClient, service: Service) -> None:
    app.post("/events", json=[a_note(1)])

    assert app.delete("/events").json == {"position": 0}
    assert service.state == {}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ([{"data": 1}], {}, 422),
        ("text", {}, 422),
        ([{**a_note(1), "seq": "one"}], {}, 422),
        ([a_note(1)], {"Minibus-Log": "log", "Minibus-Head": "many"}, 422),
        ([a_note(1)], {"Minibus-Skip": "1,x"}, 422),
    ],
)
def test_an_invalid_delivery_is_rejected_and_changes_nothing(
    app: FlaskClient, service: Service, body: Any, headers: dict[str, str], status: int
) -> None:
    answer = app.post("/events", json=body, headers=headers)

    assert answer.status_code == status
    assert (answer.json or {})["errors"][0]["message"]
    assert service.state == {}


def test_a_rejected_delivery_from_another_log_does_not_empty_the_state(app: FlaskClient, service: Service) -> None:
    app.post("/events", json=[a_note(1)], headers={"Minibus-Log": "known", "Minibus-Head": "1"})

    answer = app.post("/events", json=[a_note(1)], headers={"Minibus-Log": "another", "Minibus-Skip": "x"})

    assert answer.status_code == 422
    assert (service.replica.place(), service.state) == (("known", 1), {"1": "hello"})


@responses.activate
def test_a_look_back_folds_the_log_and_leaves_the_live_state_alone(app: FlaskClient, service: Service) -> None:
    app.post("/events", json=[a_note(1, "live")])
    next_page = {"Link": '</events?after=2&limit=3>; rel="next"'}
    responses.get(f"{BUS}/events?after=0&limit=3", json=[a_note(1), a_note(2)], headers=next_page)
    responses.get(f"{BUS}/events?after=2&limit=3", json=[a_note(3)])
    responses.get(f"{BUS}/events?after=1&limit=2", json=[a_note(2), a_note(3)])
    responses.get(f"{BUS}/events?after=3&limit=6", json=[])

    whole = {str(number): "hello" for number in (1, 2, 3)}
    assert app.get("/state?at=3").json == {"at": 3, "state": whole, "skipped": [], "folded": 3}
    assert app.get("/state?at=3").json == {"at": 3, "state": whole, "skipped": [], "folded": 0}
    assert app.get("/state?at=9").status_code == app.get("/state?at=-1").status_code == 422
    assert service.state == {"1": "live"}


@responses.activate
def test_a_look_back_leaves_events_out_alone_or_with_what_they_caused(app: FlaskClient, service: Service) -> None:
    log = [a_note(1), a_note(2), a_note(3)]
    log[2] |= {"causationid": "id-2", "correlationid": "id-2"}
    responses.get(f"{BUS}/events/2", json={**log[1], "correlationid": "id-2"})
    responses.get(f"{BUS}/events?after=2&limit=1000&correlationid=id-2", json=[log[2]])
    responses.get(f"{BUS}/events?after=0&limit=3", json=log)
    responses.get(f"{BUS}/events/9", status=404, json={"errors": [{"message": "There is no event 9."}]})

    assert app.get("/state?at=3&skip=2,9").json == {
        "at": 3, "state": {"1": "hello", "3": "hello"}, "skipped": [2], "folded": 3
    }  # fmt: skip
    assert app.get("/state?at=3&skip=2*").json == {"at": 3, "state": {"1": "hello"}, "skipped": [2, 3], "folded": 3}
    unknown = app.get("/state?at=3&skip=9*")
    assert (unknown.status_code, (unknown.json or {})["errors"][0]["field"]) == (422, "skip")
    assert app.get("/state?at=3&skip=two*").status_code == 422


@responses.activate
def test_changes_are_the_difference_between_two_moments(app: FlaskClient, service: Service) -> None:
    responses.get(f"{BUS}/events?after=0&limit=1", json=[a_note(1)])
    responses.get(f"{BUS}/events?after=0&limit=2", json=[a_note(1), a_note(2)])
    responses.get(f"{BUS}/events?after=1&limit=1", json=[a_note(2)])
    added = {"path": ["2"], "change": "added", "after": "hello"}

    step = app.get("/changes?to=2").json or {}
    back = app.get("/changes?from=2&to=1").json or {}
    what_if = app.get("/changes?from=2&to=2&skip=2&from_skip=").json or {}

    assert step == {"from": 1, "to": 2, "skipped": [], "folded": 2, "count": 1, "changes": [added]}
    assert back["changes"] == what_if["changes"] == [{"path": ["2"], "change": "removed", "before": "hello"}]
    assert app.get("/changes?from=0&to=0").json == {**step, "from": 0, "to": 0, "folded": 0, "count": 0, "changes": []}


@responses.activate
def test_a_moment_is_the_event_its_handler_what_it_changed_and_the_state_from_one_fold(app: FlaskClient) -> None:
    log = [a_note(number) for number in range(1, 8)]
    read = responses.get(f"{BUS}/events", json=log)

    moment = app.get("/moment?at=7&last=2").json or {}

    assert read.call_count == 1
    assert (moment.pop("handler") or {})["name"] == "add_note"
    assert moment == {
        "at": 7,
        "event": log[6],
        "from": 6,
        "to": 7,
        "count": 1,
        "changes": [{"path": ["7"], "change": "added", "after": "hello"}],
        "skipped": [],
        "folded": 7,
        "state": {"6": "hello", "7": "hello"},
        "entities": 7,
        "without": None,
    }


@responses.activate
def test_a_moment_shows_the_entities_that_the_event_changed_however_old_they_are(app: FlaskClient) -> None:
    changed = {**a_note(3), "data": {"id": "1", "text": "changed"}}
    responses.get(f"{BUS}/events", json=[a_note(1), a_note(2), changed])

    assert (app.get("/moment?at=3&last=0").json or {})["state"] == {"1": "changed"}


@responses.activate
def test_a_moment_without_some_events_shows_the_difference_to_the_log_as_it_happened(app: FlaskClient) -> None:
    responses.get(f"{BUS}/events", json=[a_note(1), a_note(2), a_note(3)])

    moment = app.get("/moment?at=3&skip=2").json or {}

    assert (moment["skipped"], moment["state"], moment["count"]) == ([2], {"1": "hello", "3": "hello"}, 1)
    removed = {"path": ["2"], "change": "removed", "before": "hello"}
    assert moment["without"] == {"count": 1, "changes": [removed]}


def test_at_the_moment_0_nothing_has_happened(app: FlaskClient) -> None:
    moment = app.get("/moment?at=0").json or {}

    assert (moment["event"], moment["handler"], moment["count"], moment["state"]) == (None, None, 0, {})


@responses.activate
def test_a_moment_beyond_the_head_or_without_the_bus_is_an_error(app: FlaskClient) -> None:
    assert app.get("/moment?at=1").status_code == 503
    responses.get(f"{BUS}/events", json=[a_note(1)])

    assert app.get("/moment?at=2").status_code == 422


@responses.activate
def test_a_request_may_select_the_last_entities_and_some_by_their_id(app: FlaskClient) -> None:
    responses.get(f"{BUS}/events", json=[a_note(number) for number in range(1, 8)])

    shown = app.get("/state?at=7&last=2&ids=3,unknown").json or {}

    assert shown["state"] == {"3": "hello", "6": "hello", "7": "hello"}
    assert shown["entities"] == 7


@responses.activate
def test_a_look_back_names_the_events_that_it_could_not_apply(app: FlaskClient) -> None:
    responses.get(f"{BUS}/events", json=[a_note(1), {**a_note(2), "data": None}, a_note(3)])

    assert (app.get("/state?at=3").json or {})["state"] == {"1": "hello", "3": "hello"}
    assert (app.get("/state?at=3").json or {})["skipped"] == [2]


@responses.activate
def test_a_look_back_without_the_bus_is_a_503(app: FlaskClient) -> None:
    assert app.get("/state?at=1").status_code == 503


def test_a_service_is_ready_once_it_has_caught_up_and_stays_ready(app: FlaskClient, service: Service) -> None:
    waiting = app.get("/readyz")
    assert waiting.status_code == 503
    assert BUS in waiting.text
    service.replica.meet("log", 1)
    assert "0 of 1" in app.get("/readyz").text

    service.replica.receive([a_note(1)])
    assert app.get("/readyz").status_code == 200
    service.replica.forget()

    assert app.get("/readyz").status_code == 200


def test_handlers_are_shown_with_their_source(app: FlaskClient) -> None:
    shown = (app.get("/handlers").json or {})["NoteWritten"]

    assert (shown["name"], shown["file"]) == ("add_note", "test_service.py")
    assert 'Event("NoteRead"' in shown["source"]


def test_a_type_has_one_handler() -> None:
    service = Service("twice", port=4999)
    service.on("NoteWritten")(lambda state, data: None)

    with pytest.raises(ValueError, match="twice has a handler for NoteWritten already"):
        service.on("NoteWritten")(lambda state, data: None)


@responses.activate
def test_a_rejection_by_the_bus_reaches_the_client_with_its_status_and_message(service: Service) -> None:
    responses.post(f"{BUS}/events", status=413, json={"errors": [{"message": "The body is too large."}]})

    with pytest.raises(ApiError, match=r"rejects this: The body is too large\.") as rejection:
        service.publish(Event("NoteWritten", {}))

    assert rejection.value.status == 413


@responses.activate
@pytest.mark.parametrize(("status", "maybe_stored"), [(500, True), (502, True), (503, False)])
def test_the_bus_client_knows_what_may_have_been_stored(service: Service, status: int, maybe_stored: bool) -> None:
    responses.post(f"{BUS}/events", status=status, body="<p>no JSON</p>")

    with pytest.raises(BusAway) as away:
        service.bus.publish([a_note(1)])

    assert away.value.maybe_stored is maybe_stored


@responses.activate
def test_a_reaction_that_the_bus_rejects_delays_no_other(service: Service) -> None:
    service.replica.meet("log", 2)
    service.replica.receive([a_note(1), a_note(2)])
    bad, good = service.replica.core.owed.values()
    published: list[str] = []

    def take(events: list[dict[str, Any]]) -> None:
        if bad in events:
            raise BusRefused(422, "no")
        published.extend(event["id"] for event in events)
        service.life.stopping.set()

    service.bus.publish = take  # type: ignore[method-assign]
    service.link._publish_owed()

    assert published == [good["id"]]
    assert service.replica.core.owed == {}


def test_an_id_is_drawn_again_while_it_is_taken_or_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["0badf00d", "12345678", "c0ffee00"])
    monkeypatch.setattr("secrets.token_hex", lambda size: next(drawn))

    assert new_id(taken={"0badf00d"}) == "c0ffee00"
