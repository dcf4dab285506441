"""The three rules, without a network: positions, forgetting, reactions that are owed until they are seen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from minibus import Event, Post
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


@pytest.fixture
def replica() -> Replica:
    return Replica("test", {"Happened": count, "Poison": choke, "PostCreated": keep}, dict)


def test_events_are_applied_in_order_once(replica: Replica) -> None:
    assert replica.receive([an_event(1), an_event(2)]) == 2
    assert replica.receive([an_event(2), an_event(1), an_event(3)]) == 3

    assert replica.fold.state == {"seen": [1, 2, 3]}


def test_a_gap_is_refused_with_the_position(replica: Replica) -> None:
    with pytest.raises(Gap) as gap:
        replica.receive([an_event(1), an_event(3)])

    assert gap.value.position == replica.position == 1
    assert replica.fold.state == {"seen": [1]}


@given(st.lists(st.lists(st.integers(1, 12), max_size=8), max_size=12))
def test_whatever_is_delivered_the_state_is_the_fold_of_the_log_so_far(deliveries: list[list[int]]) -> None:
    replica = Replica("test", {"Happened": count}, dict)
    for delivery in deliveries:
        try:
            replica.receive([an_event(seq) for seq in delivery])
        except Gap as gap:
            assert gap.position == replica.position
        assert replica.fold.state.get("seen", []) == list(range(1, replica.position + 1))


def test_another_log_means_position_0_and_an_empty_state(replica: Replica) -> None:
    replica.meet("first", head=1)
    replica.receive([an_event(1)])

    replica.meet("second", head=5)

    assert (replica.position, replica.fold.state, replica.owed) == (0, {}, {})
    assert not replica.caught_up


def test_the_first_head_seen_is_what_caught_up_means(replica: Replica) -> None:
    assert not replica.caught_up
    replica.meet("log", head=2)
    replica.receive([an_event(1)])
    replica.meet("log", head=9)
    assert not replica.caught_up

    replica.receive([an_event(2)])

    assert replica.caught_up


def test_ready_once_is_ready_whatever_is_forgotten_later(replica: Replica) -> None:
    replica.meet("log", head=0)

    replica.forget()

    assert replica.ever_caught_up
    assert not replica.caught_up


def test_a_reaction_is_owed_until_it_is_seen_in_the_log(replica: Replica) -> None:
    replica.receive([an_event(1)])
    [owed] = replica.owed.values()
    assert (owed["type"], owed["causationid"], owed["source"]) == ("Counted", "id-1", "/test")

    replica.receive([{**owed, "seq": 2}])

    assert replica.owed == {}


def test_a_replay_owes_what_was_never_published_under_the_same_id(replica: Replica) -> None:
    replica.receive([an_event(1), an_event(2)])
    first, second = replica.owed.values()
    log = [an_event(1), an_event(2), {**first, "seq": 3}]

    replica.forget()
    replica.receive(log)

    assert list(replica.owed) == [second["id"]]


def test_a_handler_that_raises_stops_there_and_the_event_can_be_left_out(replica: Replica) -> None:
    log = [an_event(1), an_event(2, "Poison"), an_event(3)]
    with pytest.raises(HandlerFailed) as failure:
        replica.receive(log)
    assert (failure.value.position, failure.value.seq) == (1, 2)
    assert "half" in replica.fold.state

    with pytest.raises(Gap):
        replica.receive(log[1:], skip=frozenset({2}))
    assert replica.receive(log, skip=frozenset({2})) == 3

    assert replica.fold.state == {"seen": [1, 3]}


def test_data_of_another_shape_than_the_handler_says_changes_nothing(replica: Replica) -> None:
    for data in (None, {"id": "1"}, {"id": 1, "title": "Hello"}, {"id": "1", "title": ["Hello"]}):
        with pytest.raises(HandlerFailed) as failure:
            replica.receive([an_event(1, "PostCreated", data=data)])
        assert isinstance(failure.value.__cause__, msgspec.ValidationError)

    assert (replica.position, replica.fold.state) == (0, {})


def test_an_event_without_seq_is_applied_as_it_comes(replica: Replica) -> None:
    event = {"type": "Happened", "data": "live"}

    replica.receive([event])

    assert (replica.position, replica.fold.state) == (0, {"seen": ["live"]})
    assert len(replica.owed) == 1


def test_who_waits_for_an_event_is_told_when_it_is_applied(replica: Replica) -> None:
    with replica.expecting("id-1") as applied:
        assert not applied.is_set()
        replica.receive([an_event(1)])
        assert applied.is_set()
