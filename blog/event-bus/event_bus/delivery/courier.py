"""A courier: the thread that delivers the log to one subscriber, in order."""

from __future__ import annotations

import logging
import threading
import time

from event_bus.delivery.deliveries import Deliveries, Delivery
from event_bus.delivery.listed import Listed
from event_bus.delivery.registered import Registered
from event_bus.delivery.service_client import ServiceAway, ServiceClient
from event_bus.delivery.subscriber import Subscriber
from event_bus.log.log import Log
from event_bus.log.store.interface import Record, StoreError

LINGER = 0.003  # seconds to wait for more events after the first, so that they share a batch
BACK_OFF = (0.1, 2.0)  # seconds: the first pause after a failure, and the longest
FAILED = {"failed", "refused", "lost"}

logger = logging.getLogger("event-bus")


class Courier:
    """Serve one subscriber over one kept-alive connection, as long as the bus knows it."""

    def __init__(self, subscriber: Subscriber, log: Log, deliveries: Deliveries) -> None:
        self.subscriber = subscriber
        self.log = log
        self.deliveries = deliveries
        self.service = ServiceClient(subscriber.url)
        self.ways: dict[str, Registered | Listed] = {
            "registered": Registered(subscriber, log),
            "listed": Listed(subscriber),
        }
        threading.Thread(target=self._run, name=f"courier-{subscriber.name}", daemon=True).start()

    @property
    def way(self) -> Registered | Listed:
        """How to deliver to the subscriber now."""
        return self.ways[self.subscriber.mode]

    def _run(self) -> None:
        pause = BACK_OFF[0]
        while not self.subscriber.gone:
            try:
                batch, registrations = self._next_batch()
            except StoreError as error:
                logger.error("no delivery to %s: %s", self.subscriber.name, error)
                self._rest(BACK_OFF[1], self.subscriber.registrations)
                continue
            if not batch:
                continue
            try:
                failed = self._deliver(batch, registrations)
            finally:
                with self.log.grown:
                    self.subscriber.busy = False
                    self.log.grown.notify_all()
            if failed:
                self._rest(pause, registrations)
            pause = min(2 * pause, BACK_OFF[1]) if failed else BACK_OFF[0]
        self.service.close()

    def _next_batch(self) -> tuple[list[Record], int]:
        """Wait for events after the subscriber's position. Return a batch of at most 1 MiB, and its registrations."""
        subscriber = self.subscriber
        with self.log.grown:
            self.log.grown.wait_for(lambda: subscriber.gone or subscriber.position < subscriber.horizon)
        time.sleep(LINGER)
        with self.log.grown:
            # A registration or a pause during the wait may have moved the position or the horizon: no batch then.
            most = min(self.way.most, subscriber.horizon - subscriber.position)
            batch = self.log.read(subscriber.position, most) if most > 0 and not subscriber.gone else []
            subscriber.busy = bool(batch)
            return batch, subscriber.registrations

    def _deliver(self, batch: list[Record], registrations: int) -> bool:
        """Deliver a batch, apply the answer, record the delivery. Return whether to retry."""
        begun = time.monotonic()
        replay = self.subscriber.replays(batch[0].seq)
        result = self._result(batch, registrations)
        took = time.monotonic() - begun
        what = f"#{batch[0].seq}" if len(batch) == 1 else f"#{batch[0].seq} to #{batch[-1].seq}"
        logger.info("%s to %s: %s, %.1f ms", what, self.subscriber.name, result, took * 1000)
        self.deliveries.note(
            Delivery(
                subscriber=self.subscriber.name,
                first=batch[0].seq,
                last=batch[-1].seq,
                result=result,
                error=self.subscriber.last_error if result in FAILED else None,
                milliseconds=round(took * 1000, 1),
                replay=replay,
            )
        )
        return result == "failed"

    def _result(self, batch: list[Record], registrations: int) -> str:
        """Send a batch and apply the answer. A registration meanwhile is newer than the answer, so it wins: `late`."""
        way, service = self.way, self._service()
        answer, error = None, ""
        try:
            answer = way.send(service, batch)
        except ServiceAway as away:
            error = str(away)
        with self.log.grown:
            if registrations != self.subscriber.registrations:
                return "late"
            return way.fail(error) if answer is None else way.settle(answer)

    def _service(self) -> ServiceClient:
        """Return the client for the subscriber's URL, a new one after a registration from another URL."""
        if self.service.url != self.subscriber.url:
            self.service.close()
            self.service = ServiceClient(self.subscriber.url)
        return self.service

    def _rest(self, seconds: float, registrations: int) -> None:
        """Wait before a retry, but not longer than until the subscriber registers again."""
        subscriber = self.subscriber
        with self.log.grown:
            self.log.grown.wait_for(lambda: subscriber.gone or subscriber.registrations != registrations, seconds)
