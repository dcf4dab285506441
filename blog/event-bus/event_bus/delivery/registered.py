"""Deliver to a registered subscriber: numbered events in batches, answered with a position."""

from __future__ import annotations

import logging

from event_bus.delivery.listed import fall_back, is_foreign
from event_bus.delivery.service_client import Answer, ServiceClient
from event_bus.delivery.subscriber import Subscriber
from event_bus.log.log import Log
from event_bus.log.store.interface import PAGE_EVENTS, Record

logger = logging.getLogger("event-bus")


class Registered:
    """Deliver batches to one subscriber, and move its position as it answers. At least once, in the log's order."""

    most = PAGE_EVENTS  # events in one delivery

    def __init__(self, subscriber: Subscriber, log: Log) -> None:
        self.subscriber = subscriber
        self.log = log

    def send(self, service: ServiceClient, batch: list[Record]) -> Answer:
        """Deliver a batch. Raises `ServiceAway`."""
        bodies = (record.body for record in batch)
        return service.deliver(bodies, self.log.id, self.log.head, self.subscriber.parked)

    def settle(self, answer: Answer) -> str:
        """Move the subscriber as the answer says. Return the result of the delivery. Called with the lock held."""
        subscriber, position = self.subscriber, answer.position
        if position is None:
            return self._settle_without_position(answer.status)
        if answer.status == 200:
            subscriber.acknowledge(position)
            return "delivered"
        if answer.status == 409 and position != subscriber.position:
            # The subscriber lacks an event before this batch, so the next batch starts after its position.
            subscriber.acknowledge(position)
            return "gap"
        refused = answer.whole_number("refused")
        if answer.status == 422 and refused is not None:
            self._refuse(position, refused, str(answer.fields.get("error")))
            return "refused"
        return self.fail(f"answered {answer.status}")

    def fail(self, error: str) -> str:
        """Mark the subscriber as down. The courier retries the same batch after a pause."""
        was_reachable = self.subscriber.reachable
        self.subscriber.fail(error)
        if was_reachable:
            logger.info("%s is down at %d: %s", self.subscriber.name, self.subscriber.position, error)
        return "failed"

    def _settle_without_position(self, status: int) -> str:
        if not is_foreign(status, self.subscriber.left):
            return self.fail(f"answered {status} without its position")
        fall_back(self.subscriber)
        return "listed"

    def _refuse(self, position: int, seq: int, error: str) -> None:
        if self.subscriber.refuse(position, seq, error):
            logger.error("%s: event %d is parked: %s", self.subscriber.name, seq, error)
