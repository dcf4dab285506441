"""The envelope of an event: CloudEvents 1.0 in JSON, with `type` and `data` where the course puts them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypedDict

import msgspec

Envelope = dict[str, Any]

# The id of a reaction is derived from its cause in this namespace, so a replay derives the same id again.
REACTIONS = uuid.UUID("6d696e69-6275-5300-8000-726561637473")
MAX_EVENT_BYTES = 256 * 1024
MAX_DEPTH = 100  # levels; JSON libraries fail at some depth, and every client must be able to read every event
TEXT_ATTRIBUTES = {
    *("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema"),
    *("causationid", "correlationid", "data_base64"),
}


@dataclass(frozen=True)
class Event:
    """A fact: its type in the past tense (`PostCreated`), and its data as plain JSON."""

    type: str
    data: Any


class BadEvent(ValueError):
    """An event that cannot be stored; `field` names the attribute that is wrong."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class Stamp(TypedDict):
    """What the caller gives a new event: a unique id, and the time in RFC 3339. The core has no clock of its own."""

    id: str
    time: str


def seal(event: Event, source: str, *, id: str, time: str) -> Envelope:
    """Put an event that no other event caused into its envelope."""
    return _complete({"source": source, "type": event.type, "data": event.data}, id, time)


def seal_reaction(event: Event, source: str, cause: Envelope, index: int, *, id: str, time: str) -> Envelope:
    """Put reaction number `index` of a handler into its envelope. Its id follows from the cause.

    `id` serves only a cause without an id, as the course's bus delivers them.
    """
    if "id" not in cause:
        return seal(event, source, id=id, time=time)
    caused = {
        "source": source,
        "type": event.type,
        "data": event.data,
        "causationid": cause["id"],
        "correlationid": cause.get("correlationid", cause["id"]),
    }
    derived = uuid.uuid5(REACTIONS, f"{cause.get('source')} {cause['id']} {source} {index}")
    return _complete(caused, str(derived), time)


def complete(event: Envelope, *, id: str, time: str) -> Envelope:
    """Return the whole envelope of a checked event, ready to be numbered: its `seq` is 0, even if it had one.

    `id` and `time` serve an event that has none, such as the course's bare `{"type", "data"}`.
    """
    return _complete(event, id, time, seq=0)


def _complete(event: Envelope, id: str, time: str, **log: int) -> Envelope:
    """Put the attributes in reading order: id and source, type, time, place in the log, cause, data."""
    identity = event.get("id") or id
    envelope = {
        "specversion": "1.0",
        "id": identity,
        "source": event.get("source", "/unknown"),
        "type": event["type"],
        "time": event.get("time") or time,
        **log,
        "correlationid": identity,
        "datacontenttype": "application/json",
    }
    envelope.update({name: value for name, value in event.items() if name not in ("seq", "data")})
    if "data" in event:
        envelope["data"] = event["data"]
    return envelope


def check(event: Any) -> Envelope:
    """Return the event if the bus may store it.

    Raises `BadEvent` if it is no object, has no `type`, or breaks a rule of CloudEvents 1.0 on an attribute.
    An event with `specversion` must have an id and a source; the course's bare `{"type", "data"}` needs neither.
    """
    if not isinstance(event, dict):
        raise BadEvent(f"An event must be a JSON object, not {_kind(event)}.", "event")
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
        raise BadEvent(f"{name!r} is no valid name of an attribute: use lower-case letters and digits.", name)
    if name in TEXT_ATTRIBUTES and not (isinstance(value, str) and value.strip()):
        raise BadEvent(f"{name} must be a text that is not empty, not {_kind(value)}.", name)
    if name == "specversion" and value != "1.0":
        raise BadEvent(f"specversion must be 1.0, not {value}.", name)
    if name == "time" and not _is_time(value):
        raise BadEvent(f"time must be an RFC 3339 date and time with its zone, not {value!r}.", name)
    if name == "seq" and (type(value) is not int or value < 0):
        raise BadEvent(f"seq must be a whole number, not {_kind(value)}.", name)
    if not isinstance(value, str | bool | int):
        raise BadEvent(f"{name} must be a text, a truth value or a whole number, not {_kind(value)}.", name)


def _is_time(value: Any) -> bool:
    try:
        msgspec.convert(value, Annotated[datetime, msgspec.Meta(tz=True)])
    except msgspec.ValidationError:
        return False
    return True


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"{value!r}" if value else "an empty text"
    names = {dict: "an object", list: "an array", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
