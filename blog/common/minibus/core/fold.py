"""The fold: a state is nothing but handlers applied to events, one after the other. No I/O here."""

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
    """A state and the handlers that change it. State is plain JSON."""

    def __init__(self, handlers: Mapping[str, Handler], empty: Callable[[], Any]) -> None:
        self.handlers = handlers
        self.empty = empty
        self.state = empty()

    def forget(self) -> None:
        """Go back to the state before the first event."""
        self.state = self.empty()

    def apply(self, event: Envelope) -> list[Event]:
        """Let the handler of this type change the state; return the events that it causes.

        Data that is not what the handler's annotation says raises `msgspec.ValidationError`, before anything changes.
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
    """Read from a handler's second parameter which shape of data it takes; anything where it does not say."""
    parameter = list(inspect.signature(handler).parameters)[1]
    return get_type_hints(handler).get(parameter, Any)
