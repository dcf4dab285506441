"""Look back: any moment, forwards, backwards and at random, equals a new service with the same events."""

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
from minibus.bus.stamp import stamp
from minibus.core.difference import differences
from minibus.core.event import Envelope
from minibus.core.fold import Fold
from minibus.core.history import BeyondHead, History, changes, with_what_it_caused
from minibus.core.replica import HandlerFailed, Replica
from minibus.core.snapshots import Snapshots


def a_story(posts: int) -> list[Envelope]:
    """Return a log of posts, each with three judged comments: 12 numbered events a post."""
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
    """Read the log as from the bus, and count the events read."""

    def __init__(self, log: list[Envelope]) -> None:
        self.log = log
        self.moved = 0

    def __call__(self, after: int, until: int) -> Iterator[Envelope]:
        for event in self.log[after:until]:
            self.moved += 1
            yield event


def history_of(name: str, log: list[Envelope], spacing: int = 7) -> History:
    replica = Replica(f"/{name}", MODULES[name].service.handlers, dict, stamp)
    replica.snapshots = Snapshots(spacing=spacing)
    return History(replica, Read(log))


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


@settings(deadline=None)  # a busy machine is slow
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


@settings(deadline=None)
@given(
    name=st.sampled_from(sorted(MODULES)),
    looks=st.lists(st.tuples(st.integers(1, 60), st.frozensets(st.integers(1, 60), max_size=4)), max_size=8),
)
def test_a_step_is_its_event_between_two_moments_that_equal_a_new_service(
    name: str, looks: list[tuple[int, frozenset[int]]]
) -> None:
    history = history_of(name, STORY)

    for at, skip in looks:
        event, before, after = history.step(at, skip)

        assert event == STORY[at - 1]
        assert msgspec.json.decode(before.state) == fed_by_hand(name, STORY[: at - 1], skip)
        assert msgspec.json.decode(after.state) == fed_by_hand(name, STORY[:at], skip)
        assert after.skipped == sorted(seq for seq in skip if seq <= at)


def test_the_next_step_folds_and_reads_one_event() -> None:
    read = Read(STORY)
    history = History(Replica("/query", MODULES["query"].service.handlers, dict, stamp), read)
    history.step(30)
    moved = read.moved

    assert history.step(31).after.folded == 1
    assert read.moved - moved == 1


def test_the_step_of_an_event_whose_handler_raises_changes_nothing_and_names_it() -> None:
    poison = {**STORY[13], "type": "CommentCreated", "data": {"id": "no content"}}
    history = history_of("comments", [*STORY[:13], poison, *STORY[14:]])

    event, before, after = history.step(14)

    assert (event, before.state, after.skipped) == (poison, after.state, [14])


def patched(state: Any, changes: list[dict[str, Any]]) -> Any:
    """Apply these changes to a state."""
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


def test_the_live_fold_keeps_snapshots_so_the_first_look_back_is_short_too() -> None:
    history = history_of("query", STORY)
    history.replica.receive(STORY)

    moment = history.at(48)

    assert moment.folded == 48 % 7
    assert msgspec.json.decode(moment.state) == fed_by_hand("query", STORY[:48])


def test_after_an_unnumbered_event_the_live_fold_keeps_no_snapshot() -> None:
    history = history_of("query", STORY)
    history.replica.apply_unnumbered({"type": "PostCreated", "data": {"id": "x", "title": "Unnumbered"}}, react=True)
    history.replica.receive(STORY)

    assert "x" in history.replica.fold.state
    assert msgspec.json.decode(history.at(48).state) == fed_by_hand("query", STORY[:48])


def test_another_log_begins_without_snapshots() -> None:
    history = history_of("query", STORY)
    history.replica.meet("first", 60)
    history.replica.receive(STORY)

    history.replica.meet("second", 0)

    assert history.at(14).folded == 14


def test_a_look_back_in_a_long_log_folds_and_reads_at_most_4000_events() -> None:
    log = a_story(8_400)[:100_000]
    replica = Replica("/query", query.service.handlers, dict, stamp)
    read = Read(log)
    history = History(replica, read)
    replica.receive(log)

    for at in (99_999, 12_345, 77_777, 1, 50_000, 100_000, 49_999):
        before = read.moved
        assert history.at(at).folded <= 4_000
        assert read.moved - before <= 4_000

    assert sum(map(len, replica.snapshots._states.values())) <= replica.snapshots.room


def test_snapshots_that_outgrow_their_room_double_their_distance() -> None:
    snapshots = Snapshots(room=100, spacing=10)

    for position in filter(snapshots.is_due, range(1, 200)):
        snapshots.keep(position, b"x" * 10)

    assert snapshots.spacing == 20
    assert snapshots.before(199) == (180, b"x" * 10)
    assert snapshots.before(19) == (0, None)


def test_a_state_larger_than_the_room_is_not_kept() -> None:
    snapshots = Snapshots(room=100, spacing=10)

    snapshots.keep(10, b"x" * 200)

    assert snapshots.before(10) == (0, None)


def test_a_look_back_leaves_out_an_event_whose_handler_raises_and_names_it() -> None:
    poison = {**STORY[13], "type": "CommentCreated", "data": {"id": "no content"}}
    log = [*STORY[:13], poison, *STORY[14:]]
    history = history_of("comments", log)

    assert history.at(30).skipped == [14]
    assert history.at(13).skipped == []
    assert msgspec.json.decode(history.at(30).state) == fed_by_hand("comments", log[:30], frozenset([14]))


def test_a_look_back_from_a_later_snapshot_names_parked_events_too() -> None:
    poison = {**STORY[13], "type": "CommentCreated", "data": {"id": "no content"}}
    log = [*STORY[:13], poison, *STORY[14:]]
    history = history_of("comments", log)
    assert isinstance(history.replica.receive(log).problem, HandlerFailed)
    history.replica.receive(log, skip=frozenset([14]))

    moment = history.at(30)

    assert (moment.skipped, moment.folded) == ([14], 30 % 7)


def test_a_look_back_beyond_the_head_is_rejected() -> None:
    with pytest.raises(BeyondHead, match="the log ends at 60"):
        history_of("query", STORY).at(61)


def test_only_the_last_variants_keep_their_snapshots() -> None:
    history = history_of("query", STORY)

    for seq in range(1, 20):
        history.at(60, frozenset([seq]))

    assert len(history._variants) == 4


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
