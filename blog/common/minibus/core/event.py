"""The envelope: CloudEvents 1.0 in JSON, with `type` and `data` where the course puts them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

Envelope = dict[str, Any]

# Every reaction's id is derived from its cause, so a replay derives the same id again.
REACTIONS = uuid.UUID("6d696e69-6275-5300-8000-726561637473")
MAX_EVENT_BYTES = 256 * 1024
MAX_DEPTH = 100  # whoever reads an event can read it: JSON libraries give up at some depth
TEXT_ATTRIBUTES = {
    *("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema"),
    *("causationid", "correlationid", "data_base64"),
}


@dataclass(frozen=True)
class Event:
    """What happened, in the past tense (`PostCreated`), and its facts as plain JSON."""

    type: str
    data: Any


class BadEvent(ValueError):
    """An event that cannot be stored; `field` names the attribute that is wrong."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def seal(event: Event, source: str) -> Envelope:
    """Put an event that nothing in the log has caused into its envelope."""
    return _complete({"source": source, "type": event.type, "data": event.data})


def seal_reaction(event: Event, source: str, cause: Envelope, index: int) -> Envelope:
    """Put what a handler returned into its envelope: the same cause gives the same id."""
    bare = {"source": source, "type": event.type, "data": event.data}
    if "id" not in cause:
        return _complete(bare)
    return _complete(
        {
            **bare,
            "id": str(uuid.uuid5(REACTIONS, f"{cause.get('source')} {cause['id']} {source} {index}")),
            "causationid": cause["id"],
            "correlationid": cause.get("correlationid", cause["id"]),
        }
    )


def complete(event: Envelope) -> Envelope:
    """Return the whole envelope of a checked event, ready to be numbered: its `seq` is 0, whatever came along.

    A bare `{"type", "data"}` gets an id of its own.
    """
    return _complete(event, seq=0)


def _complete(event: Envelope, **log: int) -> Envelope:
    """Put the attributes in reading order: who and what, when, where in the log, out of what, and the facts."""
    identity = event.get("id") or str(uuid.uuid4())
    envelope = {
        "specversion": "1.0",
        "id": identity,
        "source": event.get("source", "/unknown"),
        "type": event["type"],
        "time": event.get("time") or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **log,
        "correlationid": identity,
        "datacontenttype": "application/json",
    }
    envelope.update({name: value for name, value in event.items() if name not in ("seq", "data")})
    if "data" in event:
        envelope["data"] = event["data"]
    return envelope


def check(event: Any) -> Envelope:
    """Return the event if it may be stored.

    Raises `BadEvent` for what is no object, has no `type`, or breaks a rule of CloudEvents 1.0 on an attribute.
    An event that states its `specversion` must be whole; a bare `{"type", "data"}`, the course's, need not be.
    """
    if not isinstance(event, dict):
        raise BadEvent(f"An event is a JSON object, not {_kind(event)}.", "event")
    if _deeper_than(MAX_DEPTH, event):
        raise BadEvent(f"The event is nested more than {MAX_DEPTH} levels deep.", "data")
    required = ("type", "id", "source") if "specversion" in event else ("type",)
    for name in required:
        if name not in event:
            raise BadEvent(f"The event has no {name}.", name)
    for name, value in event.items():
        if name != "data":
            _check_attribute(name, value)
    return event


def _deeper_than(levels: int, value: Any) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(levels - 1, one) for one in inner)


def _check_attribute(name: str, value: Any) -> None:
    if not re.fullmatch("[a-z0-9]+", name) and name != "data_base64":
        raise BadEvent(f"{name!r} is no attribute's name: lower-case letters and digits only.", name)
    if name in TEXT_ATTRIBUTES and not (isinstance(value, str) and value.strip()):
        raise BadEvent(f"{name} is a text that is not empty, not {_kind(value)}.", name)
    if name == "specversion" and value != "1.0":
        raise BadEvent(f"specversion is 1.0, not {value}.", name)
    if name == "time":
        try:
            msgspec.convert(value, Annotated[datetime, msgspec.Meta(tz=True)])
        except msgspec.ValidationError:
            raise BadEvent(f"time is an RFC 3339 date and time with its zone, not {value!r}.", name) from None
    if name == "seq" and (type(value) is not int or value < 0):
        raise BadEvent(f"seq is a whole number, not {_kind(value)}.", name)
    if not isinstance(value, str | bool | int):
        raise BadEvent(f"{name} is a text, a truth value or a whole number, not {_kind(value)}.", name)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"{value!r}" if value else "an empty text"
    names = {dict: "an object", list: "an array", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
