"""Deliver to a listed subscriber in the course's way: one event a request, never retried."""

from __future__ import annotations

import logging

from event_bus.delivery.service_client import Answer, ServiceClient
from event_bus.delivery.subscriber import Subscriber
from event_bus.log.store.interface import Record

# The course's services, listed until they register.
COURSE = "posts=http://127.0.0.1:4000,comments=http://127.0.0.1:4001,query=http://127.0.0.1:4002"
COURSE += ",moderation=http://127.0.0.1:4003"

# Statuses of a server that does not support batches. A 2xx without a position means the same.
NO_BATCHES = {404, 413, 415}
# Statuses of a server that fails on a batch. It counts as a foreign server only after our service has disconnected.
FAILS_ON_BATCHES = {400, 405, 422, 500}

logger = logging.getLogger("event-bus")


class Listed:
    """Deliver each event once to one subscriber, which does not answer with a position. At most once."""

    most = 1  # event in one delivery

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber

    def send(self, service: ServiceClient, batch: list[Record]) -> Answer:
        """Deliver the event of this batch. Raises `ServiceAway`."""
        [event] = batch
        return service.deliver_one(event.body)

    def settle(self, answer: Answer) -> str:
        """Go on after this event. Return `delivered` for a 2xx, else `lost`. Called with the lock held."""
        if not 200 <= answer.status < 300:
            return self.fail(f"answered {answer.status}")
        self.subscriber.pass_by()
        return "delivered"

    def fail(self, error: str) -> str:
        """Go on after this event, which the subscriber has lost."""
        self.subscriber.pass_by(error)
        return "lost"


def is_foreign(status: int, left: bool) -> bool:
    """Say whether a server that answers a batch without a position is not our service. `left`: ours disconnected."""
    return 200 <= status < 300 or status in NO_BATCHES or (left and status in FAILS_ON_BATCHES)


def fall_back(subscriber: Subscriber) -> None:
    """Fall back to unnumbered, fire-and-forget delivery: the server at this URL does not use positions."""
    logger.info("%s does not answer with a position: listed from event %d on", subscriber.name, subscriber.position + 1)
    subscriber.become_listed()


def read_listed(setting: str) -> dict[str, str]:
    """Read the setting `SUBSCRIBERS`: `name=url,name=url`. Raises `ValueError` that names the wrong entry."""
    listed = {}
    for entry in filter(None, map(str.strip, setting.split(","))):
        name, _, url = entry.partition("=")
        if not (name and url.startswith(("http://", "https://"))):
            raise ValueError(f"SUBSCRIBERS has {entry!r}; write name=url, such as query=http://127.0.0.1:4002")
        listed[name] = url.rstrip("/")
    return listed
