"""The three rules, without a network: positions, forgetting, reactions that are owed until they are in the log."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from minibus import Event, Post
from minibus.bus.shared_replica import SharedReplica
from minibus.bus.stamp import stamp
from minibus.core.replica import Gap, HandlerFailed, Replica


def count(state: dict[str, Any], data: Any) -> Event:
    state["seen"] = [*state.get("seen", []), data]
    return Event("Counted", data)


def choke(state: dict[str, Any], data: Any) -> None:
    state["half"] = True
    raise ValueError("cannot swallow this")


def keep(state: dict[str, Any], post: Post) -> None:
    state[post["id"]] = post


def an_event(seq: int, type: str = "Happened", **attributes: Any) -> dict[str, Any]:
    return {"type": type, "id": f"id-{seq}", "source": "/test", "seq": seq, "data": seq, **attributes}


HANDLERS = {"Happened": count, "Poison": choke, "PostCreated": keep}


@pytest.fixture
def replica() -> Replica:
    return Replica("/test", HANDLERS, dict, stamp)


@pytest.fixture
def shared() -> SharedReplica:
    return SharedReplica("test", HANDLERS, dict)


def test_events_are_applied_in_order_once(replica: Replica) -> None:
    first = replica.receive([an_event(1), an_event(2)])
    second = replica.receive([an_event(2), an_event(1), an_event(3)])

    assert [event["seq"] for event in first.applied] == [1, 2]
    assert [event["seq"] for event in second.applied] == [3]
    assert (replica.position, replica.fold.state) == (3, {"seen": [1, 2, 3]})


def test_a_gap_is_rejected_with_the_position(replica: Replica) -> None:
    received = replica.receive([an_event(1), an_event(3)])

    assert isinstance(received.problem, Gap)
    assert received.problem.position == replica.position == 1
    assert replica.fold.state == {"seen": [1]}


@given(st.lists(st.lists(st.integers(1, 12), max_size=8), max_size=12))
def test_after_any_deliveries_the_state_is_the_fold_of_the_log_so_far(deliveries: list[list[int]]) -> None:
    replica = Replica("/test", {"Happened": count}, dict, stamp)
    for delivery in deliveries:
        received = replica.receive([an_event(seq) for seq in delivery])

        assert received.problem is None or isinstance(received.problem, Gap)
        assert replica.fold.state.get("seen", []) == list(range(1, replica.position + 1))


def test_another_log_means_position_0_and_an_empty_state(replica: Replica) -> None:
    assert replica.meet("first", head=1)
    replica.receive([an_event(1)])
    assert not replica.meet("first", head=2)

    assert replica.meet("second", head=5)

    assert (replica.position, replica.fold.state, replica.owed) == (0, {}, {})
    assert not replica.caught_up


def test_caught_up_means_the_head_that_the_replica_met_first(replica: Replica) -> None:
    assert not replica.caught_up
    replica.meet("log", head=2)
    replica.receive([an_event(1)])
    replica.meet("log", head=9)
    assert not replica.caught_up

    replica.receive([an_event(2)])

    assert replica.caught_up


def test_a_service_that_caught_up_once_stays_ready_after_it_forgets(shared: SharedReplica) -> None:
    shared.meet("log", head=0)

    shared.forget()

    assert shared.ever_caught_up
    assert not shared.core.caught_up


def test_a_reaction_is_owed_until_it_is_in_the_log(replica: Replica) -> None:
    replica.receive([an_event(1)])
    [owed] = replica.owed.values()
    assert (owed["type"], owed["causationid"], owed["source"]) == ("Counted", "id-1", "/test")

    replica.receive([{**owed, "seq": 2}])

    assert replica.owed == {}


def test_a_replay_owes_unpublished_reactions_under_the_same_id(replica: Replica) -> None:
    replica.receive([an_event(1), an_event(2)])
    first, second = replica.owed.values()
    log = [an_event(1), an_event(2), {**first, "seq": 3}]

    replica.forget()
    replica.receive(log)

    assert list(replica.owed) == [second["id"]]


def test_a_reaction_gets_its_time_from_the_clock_handed_in() -> None:
    replica = Replica("/test", HANDLERS, dict, lambda: {"id": "drawn", "time": "2026-01-02T03:04:05Z"})

    replica.receive([an_event(1)])

    [owed] = replica.owed.values()
    assert owed["time"] == "2026-01-02T03:04:05Z"
    assert owed["id"] != "drawn"


def test_a_handler_that_raises_stops_the_delivery_and_its_event_can_be_left_out(replica: Replica) -> None:
    log = [an_event(1), an_event(2, "Poison"), an_event(3)]
    problem = replica.receive(log).problem
    assert isinstance(problem, HandlerFailed)
    assert (problem.position, problem.seq) == (1, 2)
    assert "half" in replica.fold.state

    again = replica.receive(log[1:], skip=frozenset({2}))
    assert (again.forgotten, type(again.problem)) == (True, Gap)
    replica.receive(log, skip=frozenset({2}))

    assert (replica.position, replica.fold.state) == (3, {"seen": [1, 3]})


def test_data_of_another_shape_than_the_handler_declares_changes_nothing(replica: Replica) -> None:
    for data in (None, {"id": "1"}, {"id": 1, "title": "Hello"}, {"id": "1", "title": ["Hello"]}):
        problem = replica.receive([an_event(1, "PostCreated", data=data)]).problem
        assert isinstance(problem, HandlerFailed)
        assert isinstance(problem.__cause__, msgspec.ValidationError)

    assert (replica.position, replica.fold.state) == (0, {})


@pytest.mark.parametrize("react", [True, False])
def test_an_event_without_seq_changes_the_state_and_not_the_position(replica: Replica, react: bool) -> None:
    replica.apply_unnumbered({"type": "Happened", "data": "live"}, react)

    assert (replica.position, replica.numbered, replica.fold.state) == (0, False, {"seen": ["live"]})
    assert len(replica.owed) == int(react)


def test_a_shared_replica_raises_the_problem_and_reports_what_was_applied_before_it() -> None:
    reported: list[Any] = []
    shared = SharedReplica("test", HANDLERS, dict, lambda event: reported.append(event and event["seq"]))

    with pytest.raises(HandlerFailed):
        shared.receive([an_event(1), an_event(2, "Poison")])
    with pytest.raises(Gap):
        shared.receive([an_event(3)], skip=frozenset({2}))

    assert reported == [1, None]


def test_a_writer_that_waits_for_its_event_is_notified_when_it_is_applied(shared: SharedReplica) -> None:
    with shared.expecting("id-1") as applied:
        assert not applied.is_set()
        shared.receive([an_event(1)])
        assert applied.is_set()
