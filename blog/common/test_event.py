"""The envelope: which events are accepted, completed or rejected, and which attribute a rejection names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from minibus.bus.stamp import stamp
from minibus.core.event import BadEvent, Event, check, complete, seal, seal_reaction

WHOLE = {"specversion": "1.0", "id": "1", "source": "/test", "type": "Tested"}


def test_a_bare_event_is_completed() -> None:
    envelope = complete(check({"type": "PostCreated", "data": {"title": "Hello"}}), **stamp())

    assert envelope["specversion"] == "1.0"
    assert envelope["correlationid"] == envelope["id"]
    assert envelope["time"].endswith("Z")
    assert check(envelope) == envelope


def test_complete_keeps_the_attributes_of_an_event_but_its_seq() -> None:
    event = {**WHOLE, "time": "2026-01-02T03:04:05Z", "subject": "x", "traceid": "abc", "seq": 99, "data": [1, None]}

    envelope = complete(check(event), **stamp())

    assert {**envelope, "seq": 99} == {**event, "correlationid": "1", "datacontenttype": "application/json"}
    assert envelope["seq"] == 0


def test_an_event_may_have_no_data() -> None:
    assert "data" not in complete(check({"type": "Ticked"}), **stamp())


BAD = [
    ([], "event", "An event must be a JSON object, not an array."),
    ({}, "type", "The event has no type."),
    ({"type": ""}, "type", "type must be a text that is not empty, not an empty text."),
    ({"type": 7}, "type", "type must be a text that is not empty, not a number."),
    ({"specversion": "1.0", "type": "T", "id": "1"}, "source", "The event has no source."),
    ({"specversion": "1.0", "type": "T", "source": "/s"}, "id", "The event has no id."),
    ({**WHOLE, "specversion": "0.3"}, "specversion", "specversion must be 1.0, not 0.3."),
    ({**WHOLE, "id": None}, "id", "id must be a text that is not empty, not null."),
    ({**WHOLE, "time": "yesterday"}, "time", "time must be an RFC 3339 date and time with its zone, not 'yesterday'."),
    ({**WHOLE, "time": "2026-01-02T03:04:05"}, "time", "with its zone"),
    ({**WHOLE, "Upper": "x"}, "Upper", "use lower-case letters and digits"),
    ({**WHOLE, "extension": {}}, "extension", "not an object"),
    ({**WHOLE, "seq": "7"}, "seq", "seq must be a whole number, not '7'."),
    ({**WHOLE, "seq": True}, "seq", "seq must be a whole number, not a truth value."),
    ({**WHOLE, "data": msgspec.json.decode(b"[" * 200 + b"]" * 200)}, "data", "nested more than 100 levels deep"),
]


@pytest.mark.parametrize(("event", "field", "message"), BAD)
def test_a_bad_attribute_is_named(event: Any, field: str, message: str) -> None:
    with pytest.raises(BadEvent) as rejection:
        check(event)

    assert rejection.value.field == field
    assert message in str(rejection.value)


def test_the_same_cause_gives_a_reaction_the_same_id_and_its_chain() -> None:
    cause = seal(Event("CommentCreated", {}), "/comments", **stamp())

    first, again = (seal_reaction(Event("CommentModerated", {}), "/moderation", cause, 0, **stamp()) for _ in range(2))
    second = seal_reaction(Event("CommentModerated", {}), "/moderation", cause, 1, **stamp())
    effect = seal_reaction(Event("CommentUpdated", {}), "/comments", first, 0, **stamp())

    assert first["id"] == again["id"] != second["id"]
    assert first["causationid"] == first["correlationid"] == cause["id"]
    assert (effect["causationid"], effect["correlationid"]) == (first["id"], cause["id"])
