"""Looking back: any moment, forwards, backwards and at random, equals a fresh service that was fed by hand."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import comments
import msgspec
import pytest
import query
from hypothesis import given, settings
from hypothesis import strategies as st
from minibus.core.difference import differences
from minibus.core.event import Envelope
from minibus.core.fold import Fold
from minibus.core.history import BeyondHead, History, changes, with_what_it_caused
from minibus.core.replica import HandlerFailed, Replica
from minibus.core.snapshots import Checkpoints


def a_story(posts: int) -> list[Envelope]:
    """Tell of posts, each with three comments that are judged: 12 events a post, numbered."""
    log: list[Envelope] = []

    def happened(type: str, data: Any, cause: Envelope | None = None) -> Envelope:
        seq = len(log) + 1
        chain = cause["correlationid"] if cause else f"e{seq}"
        log.append({"id": f"e{seq}", "seq": seq, "type": type, "correlationid": chain, "data": data})
        if cause:
            log[-1]["causationid"] = cause["id"]
        return log[-1]

    for number in range(posts):
        happened("PostCreated", {"id": f"p{number}", "title": f"Post {number}"})
        for index, content in enumerate(("fine", "an orange", "fine, too")):
            comment = {"id": f"c{number}-{index}", "postId": f"p{number}", "content": content, "status": "pending"}
            created = happened("CommentCreated", comment)
            verdict = {**comment, "status": "rejected" if "orange" in content else "approved"}
            moderated = happened("CommentModerated", verdict, created)
            happened("CommentUpdated", verdict, moderated)
            happened("ReaderSmiled", {}) if index else None
    return log


STORY = a_story(5)
MODULES = {"query": query, "comments": comments}


class Read:
    """The log as the bus gives it, and how many events were moved."""

    def __init__(self, log: list[Envelope]) -> None:
        self.log = log
        self.moved = 0

    def __call__(self, after: int, until: int) -> Iterator[Envelope]:
        for event in self.log[after:until]:
            self.moved += 1
            yield event


def history_of(name: str, log: list[Envelope], spacing: int = 7) -> History:
    handlers = MODULES[name].service.handlers
    replica = Replica(name, handlers, dict)
    replica.checkpoints = Checkpoints(spacing=spacing)
    return History(replica, handlers, dict, Read(log))


def fed_by_hand(name: str, log: list[Envelope], skip: frozenset[int] = frozenset()) -> Any:
    fold = Fold(MODULES[name].service.handlers, dict)
    for event in copy.deepcopy(log):
        if event["seq"] not in skip:
            fold.apply(event)
    return fold.state


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("way", ["forwards", "backwards"])
def test_every_moment_of_a_story_equals_a_fresh_service_fed_by_hand(name: str, way: str) -> None:
    history = history_of(name, STORY)
    positions = range(len(STORY) + 1) if way == "forwards" else range(len(STORY), -1, -1)

    for at in positions:
        assert msgspec.json.decode(history.at(at).state) == fed_by_hand(name, STORY[:at])


@settings(deadline=None)  # a busy machine takes its time
@given(
    name=st.sampled_from(sorted(MODULES)),
    looks=st.lists(st.tuples(st.integers(0, 60), st.frozensets(st.integers(1, 60), max_size=4)), max_size=8),
)
def test_moments_at_random_with_events_left_out_equal_a_fresh_service(
    name: str, looks: list[tuple[int, frozenset[int]]]
) -> None:
    history = history_of(name, STORY)
    before = history.at(0)

    for at, skip in looks:
        moment = history.at(at, skip)

        assert msgspec.json.decode(moment.state) == fed_by_hand(name, STORY[:at], skip)
        assert moment.skipped == sorted(seq for seq in skip if seq <= at)
        assert patched(msgspec.json.decode(before.state), changes(before, moment)) == msgspec.json.decode(moment.state)
        before = moment


def patched(state: Any, changes: list[dict[str, Any]]) -> Any:
    """Make these changes to a state."""
    for change in changes:
        *way, last = change["path"]
        place = state
        for key in way:
            place = place[key]
        if change["change"] == "removed":
            del place[last]
        else:
            assert (last in place) == (change["change"] == "changed")
            place[last] = change["after"]
    return state


def test_the_live_fold_leaves_checkpoints_so_the_first_look_is_short_too() -> None:
    history = history_of("query", STORY)
    history.replica.receive(STORY)

    moment = history.at(48)

    assert moment.folded == 48 % 7
    assert msgspec.json.decode(moment.state) == fed_by_hand("query", STORY[:48])


def test_what_did_not_come_from_the_log_leaves_no_checkpoint() -> None:
    history = history_of("query", STORY)
    history.replica.receive([{"type": "PostCreated", "data": {"id": "x", "title": "From nowhere"}}, *STORY])

    assert "x" in history.replica.fold.state
    assert msgspec.json.decode(history.at(48).state) == fed_by_hand("query", STORY[:48])


def test_another_log_begins_without_checkpoints() -> None:
    history = history_of("query", STORY)
    history.replica.meet("first", 60)
    history.replica.receive(STORY)

    history.replica.meet("second", 0)

    assert history.at(14).folded == 14


def test_a_seek_in_a_long_log_folds_and_moves_some_thousands_at_the_most() -> None:
    log = a_story(8_400)[:100_000]
    handlers = query.service.handlers
    replica = Replica("query", handlers, dict)
    read = Read(log)
    history = History(replica, handlers, dict, read)
    replica.receive(log)

    for at in (99_999, 12_345, 77_777, 1, 50_000, 100_000, 49_999):
        before = read.moved
        assert history.at(at).folded <= 4_000
        assert read.moved - before <= 4_000

    assert sum(map(len, replica.checkpoints._states.values())) <= replica.checkpoints.room


def test_checkpoints_that_outgrow_their_room_are_spread_wider() -> None:
    checkpoints = Checkpoints(room=100, spacing=10)

    for position in range(1, 200):
        checkpoints.note(position, "x" * 8)  # ten bytes each

    assert checkpoints.spacing == 20
    assert checkpoints.before(199) == (180, b'"xxxxxxxx"')
    assert checkpoints.before(19) == (0, None)


def test_a_state_larger_than_the_room_is_not_kept() -> None:
    checkpoints = Checkpoints(room=100, spacing=10)

    checkpoints.note(10, "x" * 200)

    assert checkpoints.before(10) == (0, None)


def test_an_event_that_the_handler_refuses_is_left_out_and_told() -> None:
    poison = {**STORY[13], "type": "CommentCreated", "data": {"id": "no content"}}
    log = [*STORY[:13], poison, *STORY[14:]]
    history = history_of("comments", log)

    assert history.at(30).skipped == [14]
    assert history.at(13).skipped == []
    assert msgspec.json.decode(history.at(30).state) == fed_by_hand("comments", log[:30], frozenset([14]))


def test_what_the_bus_parked_is_told_also_by_a_look_from_a_later_checkpoint() -> None:
    poison = {**STORY[13], "type": "CommentCreated", "data": {"id": "no content"}}
    log = [*STORY[:13], poison, *STORY[14:]]
    history = history_of("comments", log)
    with pytest.raises(HandlerFailed):
        history.replica.receive(log)
    history.replica.receive(log, skip=frozenset([14]))

    moment = history.at(30)

    assert (moment.skipped, moment.folded) == ([14], 30 % 7)


def test_beyond_the_head_there_is_nothing_to_see() -> None:
    with pytest.raises(BeyondHead, match="the log ends at 60"):
        history_of("query", STORY).at(61)


def test_what_if_keeps_few_courses_of_history() -> None:
    history = history_of("query", STORY)

    for seq in range(1, 20):
        history.at(60, frozenset([seq]))

    assert len(history._what_ifs) == 4


def test_an_event_with_what_it_caused_is_its_branch_of_the_chain() -> None:
    created, moderated, updated = STORY[1:4]
    chain = [event for event in STORY if event["correlationid"] == created["correlationid"]]

    assert with_what_it_caused(created, chain[1:]) == {2, 3, 4}
    assert with_what_it_caused(moderated, chain) == {3, 4}
    assert with_what_it_caused(updated, []) == {4}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 1) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
)


@settings(deadline=None)
@given(JSON, JSON)
def test_two_states_differ_exactly_where_their_json_does(before: Any, after: Any) -> None:
    found = list(differences(before, after))

    assert bool(found) == (canonical(before) != canonical(after))
    for one, other in itertools.combinations([change["path"] for change in found], 2):
        assert one != other
    for change in found:
        assert at(before, change["path"]) == change.get("before")
        assert at(after, change["path"]) == change.get("after")


def canonical(value: Any) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        try:
            value = value[key]
        except LookupError:
            return None
    return value


def test_in_json_true_is_not_one() -> None:
    assert [change["change"] for change in differences({"a": 1, "b": 1.0}, {"a": True, "b": 1})] == ["changed"] * 2
