"""The contract of every store that keeps a log. A new store subclasses `StoreContract` in its own test.

class TestMyStore(StoreContract):
    def open_store(self, folder: Path) -> Store:
        return MyStore(folder)
"""

from __future__ import annotations

import inspect
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from event_bus.log.log import Log
from event_bus.log.store.interface import EVERYTHING, PAGE_BYTES, PAGE_EVENTS, Duplicate, Only, Record, Store, Stored
from minibus.bus.stamp import stamp
from minibus.core.event import complete


def an_event(**attributes: Any) -> dict[str, Any]:
    """Return a whole event, ready to be appended."""
    return complete({"type": "PostCreated", "data": {"title": "Hello"}, **attributes}, **stamp())


def numbered(count: int) -> Iterator[dict[str, Any]]:
    """Yield events as a log's file has them."""
    for seq in range(1, count + 1):
        yield {**an_event(id=f"event-{seq}", source="/loaded", time="2026-01-01T00:00:00Z"), "seq": seq}


def bodies(store: Store, after: int = 0, **how: Any) -> list[Any]:
    """Read events and decode them."""
    return [msgspec.json.decode(record.body) for record in store.read(after, **how)]


class StoreContract:
    """What every store that keeps a log has to do."""

    def open_store(self, folder: Path) -> Store:
        """Return an empty store, whose files belong in `folder`."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = self.open_store(tmp_path)
        yield store
        store.close()

    def test_it_starts_empty_with_its_own_id(self, store: Store) -> None:
        assert (store.head, store.read(0)) == (0, [])
        assert len(store.id) == 32

    def test_it_numbers_events_from_one_without_holes(self, store: Store) -> None:
        first = store.append([an_event(), an_event()])
        second = store.append([an_event()])

        assert [place.seq for place in first + second] == [1, 2, 3]
        assert store.head == 3
        assert [event["seq"] for event in bodies(store)] == [1, 2, 3]

    def test_it_returns_events_as_appended_in_reading_order(self, store: Store) -> None:
        event = an_event(subject="x", data={"title": "Grüße, 世界"})

        store.append([event])

        [stored] = bodies(store)
        assert stored == {**event, "seq": 1}
        assert list(stored)[:6] == ["specversion", "id", "source", "type", "time", "seq"]

    def test_it_stores_the_same_source_and_id_once(self, store: Store) -> None:
        event = an_event(id="one", source="/a")
        store.append([event])

        again = store.append([an_event(), {**event, "data": "changed"}, an_event(id="one", source="/b")])

        assert [place.seq for place in again] == [2, 1, 3]
        assert bodies(store)[0]["data"] == event["data"]

    def test_it_stores_the_same_source_and_id_in_one_batch_once(self, store: Store) -> None:
        event = an_event(id="one", source="/a")

        places = store.append([event, an_event(), event])

        assert [place.seq for place in places] == [1, 2, 1]
        assert store.head == 2

    def test_it_reads_after_a_position_up_to_a_limit(self, store: Store) -> None:
        store.append([an_event() for _ in range(5)])

        assert [event["seq"] for event in bodies(store, after=1, limit=2)] == [2, 3]
        assert store.read(5) == store.read(99) == []

    def test_it_reads_only_one_type(self, store: Store) -> None:
        store.append([an_event(type=name) for name in ("A", "B", "A", "B")])

        assert [event["seq"] for event in bodies(store, only=Only("B"))] == [2, 4]
        assert [event["seq"] for event in bodies(store, after=2, only=Only("B"))] == [4]
        assert store.read(0, only=Only("C")) == []

    def test_it_reads_only_one_chain(self, store: Store) -> None:
        first, second = an_event(), an_event()
        reactions = [an_event(correlationid=first["id"]), an_event(correlationid=second["id"])]
        store.append([first, second, *reactions])

        assert [event["seq"] for event in bodies(store, only=Only(correlationid=first["id"]))] == [1, 3]
        assert [event["seq"] for event in bodies(store, only=Only("B", first["id"]))] == []

    def test_it_reads_only_events_that_contain_a_text(self, store: Store) -> None:
        store.append([an_event(data=text) for text in ("hay", "a Needle", "hay", "needles")])

        assert [event["seq"] for event in bodies(store, only=Only(contains="NEEDLE"))] == [2, 4]
        assert [event["seq"] for event in bodies(store, after=2, limit=1, only=Only(contains="needle"))] == [4]
        assert bodies(store, only=Only("B", contains="needle")) == []

    def test_it_returns_the_types_of_some_events_and_of_all(self, store: Store) -> None:
        assert store.all_types() == store.types([]) == []
        store.append([an_event(type=name) for name in ("B", "A", "B", "C")])

        assert store.types(range(1, 5, 2)) == ["B", "B"]
        assert store.all_types() == ["A", "B", "C"]

    def test_a_page_is_bounded_in_bytes_and_has_at_least_one_event(self, store: Store) -> None:
        store.append([an_event(data="x" * 600_000) for _ in range(3)])

        assert [record.seq for record in store.read(0)] == [1, 2]
        assert [record.seq for record in store.read(2)] == [3]

    def test_appends_of_many_threads_leave_no_holes_and_no_repeats(self, store: Store) -> None:
        log = Log(store)
        answers: dict[str, int] = {}

        def write(writer: int) -> None:
            for number in range(50):
                [place] = log.append([an_event(id=f"{writer}-{number}")])
                answers[place.id] = place.seq

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

        assert sorted(answers.values()) == list(range(1, 401))
        assert {event["id"]: event["seq"] for event in bodies(store)} == answers

    def test_it_loads_events_in_their_order(self, store: Store) -> None:
        count = store.load(numbered(3))

        assert (count, store.head) == (3, 3)
        assert bodies(store) == list(numbered(3))
        assert [place.seq for place in store.append([an_event(id="event-2", source="/loaded"), an_event()])] == [2, 4]
        assert [record.seq for record in store.read(0, only=Only("PostCreated"))] == [1, 2, 3, 4]

    def test_it_loads_nothing_if_an_event_comes_twice(self, store: Store) -> None:
        events = [*numbered(2), {**next(numbered(1)), "seq": 3}]

        with pytest.raises(Duplicate) as duplicate:
            store.load(events)

        assert (duplicate.value.seq, duplicate.value.first) == (3, 1)
        assert (store.head, store.read(0)) == (0, [])

    def test_it_loads_nothing_if_the_events_break_off(self, store: Store) -> None:
        def events() -> Iterator[Any]:
            yield from numbered(2)
            raise ValueError("the file ends here")

        with pytest.raises(ValueError, match="ends here"):
            store.load(events())

        assert (store.head, store.read(0)) == (0, [])
        assert [place.seq for place in store.append([an_event()])] == [1]


class DurableStoreContract(StoreContract):
    """What a store has to do, too, if its log outlives the bus."""

    def test_it_keeps_events_and_its_id_over_a_restart(self, tmp_path: Path) -> None:
        store = self.open_store(tmp_path)
        store.append([an_event(id="kept")])
        store.close()

        again = self.open_store(tmp_path)

        assert (again.id, again.head) == (store.id, 1)
        assert [place.seq for place in again.append([an_event(id="kept"), an_event()])] == [1, 2]
        again.close()


class ToyStore:
    """The shortest store that fulfils the contract: a list, searched from its beginning."""

    keeps = True

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.events: list[Any] = []

    @property
    def head(self) -> int:
        return len(self.events)

    def append(self, events: list[Any]) -> list[Stored]:
        return [Stored(self.place(event) or self.add(event), event["id"]) for event in events]

    def place(self, event: Any) -> int:
        """Return the number of the stored event with this source and id, 0 if there is none."""
        key = (event["source"], event["id"])
        return next((one["seq"] for one in self.events if (one["source"], one["id"]) == key), 0)

    def add(self, event: Any) -> int:
        """Add an event; return its number."""
        self.events.append({**event, "seq": self.head + 1})
        return self.head

    def load(self, events: Iterable[Any]) -> int:
        other = ToyStore()
        for seq, event in enumerate(events, 1):
            if first := other.place(event):
                raise Duplicate(seq, first)
            other.add(event)
        self.events = other.events
        return self.head

    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        page: list[Record] = []
        for event in self.events[after:]:
            if len(page) == limit or sum(len(record.body) for record in page) >= PAGE_BYTES:
                break
            if self.matches(event, only):
                page.append(Record(event["seq"], msgspec.json.encode(event)))
        return page

    def matches(self, event: Any, only: Only) -> bool:
        """Return whether the filter accepts an event."""
        text = (only.contains or "").lower()
        return (
            only.type in (None, event["type"])
            and only.correlationid in (None, event["correlationid"])
            and text in msgspec.json.encode(event).decode().lower()
        )

    def types(self, numbers: Sequence[int]) -> list[str]:
        return [self.events[seq - 1]["type"] for seq in numbers]

    def all_types(self) -> list[str]:
        return sorted({event["type"] for event in self.events})

    def close(self) -> None:
        pass


class TestToyStore(StoreContract):
    def open_store(self, folder: Path) -> Store:
        return ToyStore()


class LeavesHoles(ToyStore):
    def add(self, event: Any) -> int:
        self.events.append({**event, "seq": 2 * self.head + 1})
        return self.events[-1]["seq"]


class StoresTwice(ToyStore):
    def place(self, event: Any) -> int:
        return 0


class ComparesOnlyIds(ToyStore):
    def place(self, event: Any) -> int:
        return next((one["seq"] for one in self.events if one["id"] == event["id"]), 0)


class LoadsAsItGoes(ToyStore):
    def load(self, events: Iterable[Any]) -> int:
        for event in events:
            self.append([event])
        return self.head


class IgnoresTheLimit(ToyStore):
    def read(self, after: int, limit: int = PAGE_EVENTS, only: Only = EVERYTHING) -> list[Record]:
        return super().read(after, PAGE_EVENTS, only)


class IgnoresTheFilter(ToyStore):
    def matches(self, event: Any, only: Only) -> bool:
        return True


class SortsAttributes(ToyStore):
    def add(self, event: Any) -> int:
        return super().add(dict(sorted(event.items())))


WRONG_STORES = [
    (LeavesHoles, "test_it_numbers_events_from_one_without_holes"),
    (StoresTwice, "test_it_stores_the_same_source_and_id_once"),
    (StoresTwice, "test_it_stores_the_same_source_and_id_in_one_batch_once"),
    (ComparesOnlyIds, "test_it_stores_the_same_source_and_id_once"),
    (LoadsAsItGoes, "test_it_loads_nothing_if_an_event_comes_twice"),
    (LoadsAsItGoes, "test_it_loads_nothing_if_the_events_break_off"),
    (IgnoresTheLimit, "test_it_reads_after_a_position_up_to_a_limit"),
    (IgnoresTheFilter, "test_it_reads_only_one_type"),
    (IgnoresTheFilter, "test_it_reads_only_one_chain"),
    (IgnoresTheFilter, "test_it_reads_only_events_that_contain_a_text"),
    (SortsAttributes, "test_it_returns_events_as_appended_in_reading_order"),
]


@pytest.mark.parametrize(("wrong", "test"), WRONG_STORES)
def test_a_wrong_store_fails_the_contract(wrong: type[ToyStore], test: str) -> None:
    assert test in failures(wrong)


def failures(store: type[ToyStore]) -> set[str]:
    """Return the tests of the contract that a store fails."""
    failed = set()
    for name, test in inspect.getmembers(StoreContract, inspect.isfunction):
        if name.startswith("test_"):
            try:
                test(StoreContract(), store())
            except (AssertionError, LookupError, pytest.fail.Exception):
                failed.add(name)
    return failed
