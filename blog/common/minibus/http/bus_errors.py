"""The errors of the bus, as a service passes them on to its own client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minibus.bus.client import BusAway, BusRefused
from minibus.bus.link import EVENT_REJECTED
from minibus.http.errors import ApiError, Unavailable


def rejection(error: BusRefused) -> ApiError:
    """Return the bus's status if it rejects the event, which the client can mend; 503 if it rejects the service."""
    if error.status in EVENT_REJECTED:
        return ApiError(error.status, f"The event bus rejects this: {error}")
    return Unavailable(f"The event bus rejects this service: {error}")


@contextmanager
def bus_errors_passed_on() -> Iterator[None]:
    """Raise `ApiError` for an error of the bus in the block."""
    try:
        yield
    except BusRefused as error:
        raise rejection(error) from error
    except BusAway as error:
        raise Unavailable(f"The event bus is away: {error}.") from error
