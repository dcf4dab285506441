"""The routes that look back: the state at any moment, the step that an event made, and the handlers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from flask import Flask, request

from minibus.bus.client import BusRefused
from minibus.bus.shared_replica import SharedReplica
from minibus.core.fold import Handler
from minibus.core.history import BeyondHead, History, Moment, Skip, changes
from minibus.http.bus_errors import bus_errors_passed_on
from minibus.http.errors import ApiError
from minibus.http.fields import whole_number, whole_numbers
from minibus.http.guard import require_token_for

MOST_CHANGES = 1000
WINDOW = 30  # entities of the state beside a step

T = TypeVar("T")


def add_look_back_routes(
    app: Flask,
    replica: SharedReplica,
    history: History,
    handlers: Mapping[str, Handler],
    consequences: Callable[[int], Skip],
) -> None:
    """Add what shows the past. `consequences` returns the numbers of an event and of all that it caused."""
    require_token_for(app, "/state", "/changes", "/moment", "/handlers")

    def position(field: str) -> int:
        """Read a position from the request; without one, the current position."""
        given = whole_number(field, request.args)
        return replica.position if given is None else given

    @app.get("/state")
    def show_state() -> Any:
        """Show the state: now, or as it was `at` an event, without the events in `skip`."""
        skip = what_to_skip("skip", consequences)
        if "at" not in request.args and not skip:
            with replica.changed:
                return {"at": replica.position, "state": replica.state, "skipped": sorted(replica.core.skip)}
        moment = look_back(history.at, position("at"), skip)
        window = whole_number("last", request.args)
        if window is None:
            return moment._replace(state=msgspec.Raw(moment.state))._asdict()
        return moment._asdict() | last_entities(moment, window, request.args.get("ids", "").split(","))

    @app.get("/changes")
    def show_changes() -> dict[str, Any]:
        """Show the difference between two moments: `from` (by default the one before `to`) and `to`.

        `skip` and an empty `from_skip` show what differs without some events.
        """
        to = position("to")
        begin = whole_number("from", request.args)
        skip = what_to_skip("skip", consequences)
        from_skip = what_to_skip("from_skip", consequences) if "from_skip" in request.args else skip
        before = look_back(history.at, max(to - 1, 0) if begin is None else begin, from_skip)
        after = look_back(history.at, to, skip)
        return {
            "from": before.at,
            "to": after.at,
            "skipped": after.skipped,
            "folded": before.folded + after.folded,
            **first_changes(changes(before, after)),
        }

    @app.get("/moment")
    def show_moment() -> dict[str, Any]:
        """Show the step that the event `at` made: the event, its handler, what changed, and the state after it.

        `state` has the `last` entities and those that the step changed. With `skip`, the step is that of the log
        without these events, and `without` is the difference to the log as it happened.
        """
        at, skip = position("at"), what_to_skip("skip", consequences)
        window = whole_number("last", request.args)
        step = look_back(history.step, at, skip)
        happened = look_back(history.at, at) if skip else None
        changed = first_changes(changes(step.before, step.after))
        handler = handlers.get(step.event["type"]) if step.event else None
        changed_entities = [str(change["path"][0]) for change in changed["changes"] if change["path"]]
        return {
            "at": at,
            "event": step.event,
            "handler": describe(handler) if handler else None,
            "from": step.before.at,
            "to": at,
            **changed,
            "skipped": step.after.skipped,
            "folded": step.after.folded + (happened.folded if happened else 0),
            **last_entities(step.after, WINDOW if window is None else window, changed_entities),
            "without": first_changes(changes(happened, step.after)) if happened else None,
        }

    @app.get("/handlers")
    def show_handlers() -> dict[str, Any]:
        """Show which function handles which type, with its source."""
        return {event_type: describe(handler) for event_type, handler in handlers.items()}


def look_back(look: Callable[[int, Skip], T], at: int, skip: Skip = frozenset()) -> T:
    """Return the moment or the step at this position, without the events in `skip`. Raises `ApiError` 422, 503."""
    with bus_errors_passed_on():
        try:
            return look(at, skip)
        except BeyondHead as error:
            raise ApiError(422, f"The log ends at {error.head}; {at} is beyond it.", "at") from error


def what_to_skip(field: str, consequences: Callable[[int], Skip]) -> Skip:
    """Read which events to leave out: `7,9*` is event 7, and event 9 with all that it caused. Raises `ApiError`."""
    marks = [mark.strip() for mark in request.args.get(field, "").split(",")]
    alone = whole_numbers(field, {field: ",".join(mark for mark in marks if not mark.endswith("*"))})
    first = whole_numbers(field, {field: ",".join(mark[:-1] for mark in marks if mark.endswith("*"))})
    with bus_errors_passed_on():
        try:
            return alone.union(*(consequences(seq) for seq in first))
        except BusRefused as error:
            raise ApiError(422, f"{field} must name an event of the log. {error}", field) from error


def first_changes(different: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how many changes there are, and the first 1,000 of them."""
    return {"count": len(different), "changes": different[:MOST_CHANGES]}


def last_entities(moment: Moment, count: int, ids: Iterable[str]) -> dict[str, Any]:
    """Return the entities added last and those with these ids, in the order of the state, and how many it has."""
    state = msgspec.json.decode(moment.state)
    if not isinstance(state, dict):
        return {"state": state, "entities": len(state) if isinstance(state, list) else 1}
    shown = {*list(state)[max(len(state) - count, 0) :], *ids}
    return {"state": {key: entity for key, entity in state.items() if key in shown}, "entities": len(state)}


def describe(handler: Handler) -> dict[str, Any]:
    """Return a handler's name, source, file and first line."""
    source, line = inspect.getsourcelines(handler)
    file = Path(inspect.getsourcefile(handler) or "").name
    return {"name": handler.__name__, "source": "".join(source), "file": file, "line": line}
