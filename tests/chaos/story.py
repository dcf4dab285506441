"""A run as a story: its log with what broke in between, as a file that `minibus import` and `make story` can load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from event_bus.log.file import FORMAT, Header
from minibus.bus.stamp import stamp
from minibus.core.event import Envelope, complete

from tests.chaos.machine import Outcome

# What a failing log breaks, its story keeps, or no bus would take it: numbers without holes, each id once.
AGAIN = "{} (once more: {})"


def tell(title: str, outcome: Outcome) -> bytes:
    """Return the file of a story: the log, each fault where it happened, and what was wrong at the end."""
    events = [*merge(outcome), *(remark("PromiseBroken", {"promise": wrong}, wrong) for wrong in outcome.wrong)]
    first = remark("StoryBegan", {"title": title}, f"{len(outcome.wrong)} things are wrong at the end") | {
        "story": title
    }
    lines: list[Any] = [Header(FORMAT, len(events) + 1)]
    lines += [{**event, "seq": number} for number, event in enumerate([first, *events], 1)]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def merge(outcome: Outcome) -> Iterator[Envelope]:
    """Yield the log's events, and before each the faults that had happened by then."""
    faults = list(outcome.happened)
    times: Counter[tuple[str, str]] = Counter()
    for event in outcome.log:
        while faults and faults[0][0] <= event["time"]:
            yield fault(*faults.pop(0))
        identity = (event["source"], event["id"])
        times[identity] += 1
        yield event if times[identity] == 1 else event | {"id": AGAIN.format(event["id"], times[identity])}
    yield from (fault(*one) for one in faults)


def fault(time: str, what: str, where: str) -> Envelope:
    """Make an event of a fault; no service knows its type."""
    return remark("FaultHappened", {"fault": what, "where": where}, f"{where}: {what}", time=time)


def remark(kind: str, data: dict[str, str], note: str, **attributes: str) -> Envelope:
    """Return an event with a line for the class."""
    return complete({"source": "/chaos", "type": kind, "data": data, "note": note, **attributes}, **stamp())
