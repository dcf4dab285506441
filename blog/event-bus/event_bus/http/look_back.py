"""Look back: ask a subscriber for its state at any event, and return the answer."""

from __future__ import annotations

from contextlib import closing

import msgspec
from flask import Flask, Response, request
from minibus.http.errors import ApiError, Unavailable
from minibus.http.fields import whole_number

from event_bus.delivery.service_client import NotOurService, ServiceAway, ServiceClient
from event_bus.delivery.subscribers import Subscribers
from event_bus.log.log import Log
from event_bus.log.store.interface import Only

LONGEST_CHAIN = 200  # events


class Chained(msgspec.Struct):
    """What the bus reads of a moment's event."""

    correlationid: str


class Moment(msgspec.Struct):
    """What the bus reads of a moment."""

    event: Chained | None


def add_look_back_routes(app: Flask, log: Log, subscribers: Subscribers) -> None:
    """Add the routes that ask a subscriber about its state."""

    @app.get("/subscribers/<name>/state")
    def show_state(name: str) -> Response:
        """Ask a subscriber for its state, now or `at` an event, without the events in `skip`."""
        return ask(name, "/state")

    @app.get("/subscribers/<name>/changes")
    def show_changes(name: str) -> Response:
        """Ask a subscriber what changed in its state between two events."""
        return ask(name, "/changes")

    @app.get("/subscribers/<name>/moment")
    def show_moment(name: str) -> Response:
        """Ask a subscriber for one moment: the event, its handler, what changed, and the state after it.

        The bus adds the event's chain, so that one request shows all that a step through the log needs.
        """
        answer = ask(name, "/moment")
        if answer.status_code == 404:
            why = "is an older service without /moment; update it, or ask for /state, /changes and /handlers"
            raise ApiError(501, f"{name} {why}.")
        if answer.status_code == 200:
            try:
                answer.data = with_chain(answer.data, log)
            except msgspec.DecodeError as error:
                raise not_our_service(name) from error
        return answer

    @app.get("/subscribers/<name>/handlers")
    def show_handlers(name: str) -> Response:
        """Ask a subscriber which function handles which type of event."""
        return ask(name, "/handlers")

    def ask(name: str, path: str) -> Response:
        subscriber = subscribers.find(name)
        check_positions(log.head)
        return ask_service(name, subscriber.url, path)


def ask_service(name: str, url: str, path: str) -> Response:
    """Ask a service, and pass its answer on. Raises `Unavailable`."""
    try:
        with closing(ServiceClient(url)) as service:
            status, body = service.ask(path, request.args.to_dict())
    except ServiceAway as error:
        raise Unavailable(f"{name} is down. Start it to look back.") from error
    except NotOurService as error:
        raise not_our_service(name) from error
    return Response(body, status, mimetype="application/json")


def not_our_service(name: str) -> Unavailable:
    """Return the error for a server that answers in another way than our services."""
    return Unavailable(f"{name} does not answer as a service of the blog does.")


def with_chain(moment: bytes, log: Log) -> bytes:
    """Add `chain` to a moment: the event's chain from the first cause to the last effect. Raises `DecodeError`."""
    event = msgspec.json.decode(moment, type=Moment).event
    chain = log.read(0, LONGEST_CHAIN, Only(correlationid=event.correlationid)) if event else []
    fields = msgspec.json.decode(moment, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**fields, "chain": [msgspec.Raw(record.body) for record in chain]})


def check_positions(head: int) -> None:
    """Check that every position in the query is in the log. Raises `ApiError` 422."""
    for field in ("at", "from", "to"):
        position = whole_number(field, request.args)
        if position is not None and position > head:
            raise ApiError(422, f"The log ends at {head}; {position} is beyond it.", field)
