"""The routes that look back: the state at any moment, what changed between two, and the handlers that did it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from flask import request

from minibus.bus.client import BusAway, BusRefused
from minibus.core.history import BeyondHead, Moment, changes
from minibus.http.errors import ApiError, Unavailable
from minibus.http.fields import whole_number, whole_numbers
from minibus.http.routes import refusal

if TYPE_CHECKING:
    from minibus.service import Service

MOST_CHANGES = 1000


def install(service: Service) -> None:
    """Add these routes to the service's app."""
    app, replica = service.app, service.replica

    @app.get("/state")
    def show_state() -> Any:
        """Show the state: now, or as it was `at` an event, without the events in `skip`."""
        at = whole_number("at", request.args)
        skip = what_to_skip(service, "skip")
        if at is None and not skip:
            with replica.changed:
                return {"at": replica.position, "state": service.state, "skipped": sorted(replica.skip)}
        moment = look_back(service, replica.position if at is None else at, skip)
        window = whole_number("last", request.args)
        if window is None:
            return moment._replace(state=msgspec.Raw(moment.state))._asdict()
        state = msgspec.json.decode(moment.state)
        shown = last_entities(state, window, request.args.get("ids", "").split(","))
        return moment._replace(state=shown)._asdict() | {"entities": len(state)}

    @app.get("/changes")
    def show_changes() -> dict[str, Any]:
        """Show what is different between two moments: `from` (by default the one before `to`) and `to`.

        What differs without some events is told by `skip` and an empty `from_skip`.
        """
        to = whole_number("to", request.args)
        to = replica.position if to is None else to
        begin = whole_number("from", request.args)
        skip = what_to_skip(service, "skip")
        from_skip = what_to_skip(service, "from_skip") if "from_skip" in request.args else skip
        before = look_back(service, max(to - 1, 0) if begin is None else begin, from_skip)
        after = look_back(service, to, skip)
        different = changes(before, after)
        return {
            "from": before.at,
            "to": after.at,
            "skipped": after.skipped,
            "folded": before.folded + after.folded,
            "count": len(different),
            "changes": different[:MOST_CHANGES],
        }

    @app.get("/handlers")
    def show_handlers() -> dict[str, Any]:
        """Show which function handles which type, with its source."""
        return {event_type: describe(handler) for event_type, handler in service.handlers.items()}


def look_back(service: Service, at: int, skip: frozenset[int]) -> Moment:
    """Fold the first `at` events of the log, without those in `skip`. Raises `ApiError` 422, 503."""
    try:
        return service.history.at(at, skip)
    except BeyondHead as error:
        raise ApiError(422, f"The log ends at {error.head}; {at} is beyond it.", "at") from error
    except BusRefused as error:
        raise refusal(error) from error
    except BusAway as error:
        raise Unavailable(f"The event bus is away: {error}.") from error


def what_to_skip(service: Service, field: str) -> frozenset[int]:
    """Read which events to leave out: `7,9*` is event 7, and event 9 with all that it caused. Raises `ApiError`."""
    marks = [mark.strip() for mark in request.args.get(field, "").split(",")]
    alone = whole_numbers(field, {field: ",".join(mark for mark in marks if not mark.endswith("*"))})
    first = whole_numbers(field, {field: ",".join(mark[:-1] for mark in marks if mark.endswith("*"))})
    try:
        return alone.union(*(service.consequences(seq) for seq in first))
    except BusRefused as error:
        raise ApiError(422, f"{field} names no event of the log: {error}", field) from error
    except BusAway as error:
        raise Unavailable(f"The event bus is away: {error}.") from error


def last_entities(state: Any, count: int, ids: Iterable[str]) -> Any:
    """Return the entities that were added last, and those with these ids, in the order of the state."""
    if not isinstance(state, dict):
        return state
    shown = {*list(state)[max(len(state) - count, 0) :], *ids}
    return {key: entity for key, entity in state.items() if key in shown}


def describe(handler: Any) -> dict[str, Any]:
    """Tell a handler's name, source, file and first line."""
    source, line = inspect.getsourcelines(handler)
    file = Path(inspect.getsourcefile(handler) or "").name
    return {"name": handler.__name__, "source": "".join(source), "file": file, "line": line}
