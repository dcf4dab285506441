"""The fold: a state is the result of handlers applied to events, one after the other."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_type_hints

import msgspec

from minibus.core.event import Envelope, Event

Reaction = Event | Iterable[Event] | None
Handler = Callable[[Any, Any], Reaction]


class Fold:
    """A state, which is plain JSON, and the handlers that change it."""

    def __init__(self, handlers: Mapping[str, Handler], empty: Callable[[], Any]) -> None:
        self.handlers = handlers
        self.empty = empty
        self.state = empty()

    def forget(self) -> None:
        """Go back to the state before the first event."""
        self.state = self.empty()

    def apply(self, event: Envelope) -> list[Event]:
        """Call the handler of this type with the state and the data; return the events that it causes.

        Raises `msgspec.ValidationError`, before the state changes, for data that the handler's annotation excludes.
        """
        handler = self.handlers.get(event["type"])
        if handler is None:
            return []
        facts = msgspec.convert(event.get("data"), data_type(handler))
        reaction = handler(self.state, facts)
        if reaction is None:
            return []
        return [reaction] if isinstance(reaction, Event) else list(reaction)


@functools.cache
def data_type(handler: Handler) -> Any:
    """Return the shape of data that a handler's second parameter declares; `Any` without an annotation."""
    parameter = list(inspect.signature(handler).parameters)[1]
    return get_type_hints(handler).get(parameter, Any)
