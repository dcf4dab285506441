"""What has to be true when everything is back and quiet. Each checker yields what is not; plain functions, no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import comments
import moderation
import msgspec
import posts
import query
from minibus import Service
from minibus.core.difference import differences
from minibus.core.event import Envelope
from minibus.core.fold import Fold

from tests.chaos.people import Deed

HANDLERS: tuple[Service, ...] = (posts.service, comments.service, query.service, moderation.service)


@dataclass
class Evidence:
    """What a run leaves: the answers that people got, the log, the state of each service, the page."""

    deeds: list[Deed]
    log: list[Envelope]
    states: dict[str, dict[str, Any]]  # service → its `GET /state`
    page: dict[str, dict[str, Any]]  # `GET /posts` of query

    def numbers(self, mark: str) -> list[int]:
        """Return the `seq` of the events of people that carry this mark."""
        return [event["seq"] for event in self.log if "causationid" not in event and mark in event["data"].values()]


def what_was_answered_is_there(evidence: Evidence) -> Iterator[str]:
    """An acknowledged event is in the log once, where the answer said; a refused one is not; a batch is whole."""
    for deed in evidence.deeds:
        yield from deed.complaints
        places = [evidence.numbers(mark) for mark in deed.marks]
        most, least = max(map(len, places)), min(map(len, places))
        if deed.outcome == "acknowledged" and least == 0:
            yield f"{deed.marks[0]} was acknowledged and is not in the log"
        if deed.outcome == "refused" and most > 0:
            yield f"{deed.marks[0]} was refused and is in the log, at {places}"
        if most > 1:
            yield f"{deed.marks[0]} is in the log more than once, at {places}"
        if most != least:
            yield f"the batch of {deed.marks[0]} is in the log by halves: {places}"
        for told in deed.numbers:
            if places != [[number] for number in told]:
                yield f"{deed.marks[0]} was said to be at {told}, and is at {places}"


def the_numbers_have_no_holes(evidence: Evidence) -> Iterator[str]:
    """`seq` counts 1, 2, 3 …"""
    numbers = [event["seq"] for event in evidence.log]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the log is numbered {numbers}"


def every_event_stands_once(evidence: Evidence) -> Iterator[str]:
    """No two events have the same `source` and `id`."""
    times = Counter((event["source"], event["id"]) for event in evidence.log)
    yield from (f"the log has {identity} {count} times" for identity, count in times.items() if count > 1)


def every_reaction_stands_once(evidence: Evidence) -> Iterator[str]:
    """Every comment is judged once, and every verdict is published once."""
    followed_by = {"CommentCreated": "CommentModerated", "CommentModerated": "CommentUpdated"}
    times = Counter((event["type"], event["causationid"]) for event in evidence.log if "causationid" in event)
    for event in evidence.log:
        if reaction := followed_by.get(event["type"]):
            count = times[(reaction, event["id"])]
            if count != 1:
                yield f"event {event['seq']}, {event['type']}, has {count} {reaction}"


def every_state_is_the_fold_of_the_log(evidence: Evidence) -> Iterator[str]:
    """Each service has applied the whole log, in its order, and each event once."""
    for service in HANDLERS:
        fold = Fold(service.handlers, service.empty)
        parked = [event["seq"] for event in evidence.log if not takes(fold, event)]
        shown = evidence.states[service.name]
        if shown["at"] != len(evidence.log):
            yield f"{service.name} is at {shown['at']} of {len(evidence.log)}"
        if shown["skipped"] != parked:
            yield f"{service.name} has left out {shown['skipped']}, and refuses {parked}"
        for difference in compare(fold.state, shown["state"]):
            yield f"{service.name}: {difference}"


def compare(right: dict[str, Any], shown: dict[str, Any]) -> Iterator[str]:
    """Yield what is shown wrongly, and where; their order counts, too."""
    for one in differences(right, shown):
        where = " / ".join(map(str, one["path"]))
        yield f"{where} is {one.get('after', 'missing')}, not {one.get('before', 'there')}"
    if list(shown) != list(right) and set(shown) == set(right):
        yield f"the order is {list(shown)}, not {list(right)}"


def takes(fold: Fold, event: Envelope) -> bool:
    """Apply an event; return whether its handler takes it. One that refuses has changed nothing."""
    try:
        fold.apply(event)
    except msgspec.ValidationError:
        return False
    return True


def the_page_shows_what_people_wrote(evidence: Evidence) -> Iterator[str]:
    """The page is what a model without any events makes of what people wrote, in the order of the log."""
    page: dict[str, dict[str, Any]] = {}
    for event in evidence.log:
        facts = event["data"]
        if event["type"] == "PostCreated" and "title" in facts:
            page[facts["id"]] = {"id": facts["id"], "title": facts["title"], "comments": []}
        if event["type"] == "CommentCreated":
            status = "rejected" if "orange" in facts["content"].lower() else "approved"
            comment = {"id": facts["id"], "content": facts["content"], "status": status}
            page[facts["postId"]]["comments"].append(comment)
    yield from compare(page, evidence.page)


CHECKERS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    what_was_answered_is_there,
    the_numbers_have_no_holes,
    every_event_stands_once,
    every_reaction_stands_once,
    every_state_is_the_fold_of_the_log,
    the_page_shows_what_people_wrote,
)


def judge(evidence: Evidence) -> list[str]:
    """Return everything that is wrong, with the name of what should be true; nothing when all is well."""
    return [f"{checker.__name__.replace('_', ' ')}: {wrong}" for checker in CHECKERS for wrong in checker(evidence)]
