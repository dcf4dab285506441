"""A courier carries the log to one subscriber: in order, at least once, in batches; or one by one, if it is listed."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import msgspec
import requests
from minibus.bus.session import new_session
from minibus.bus.token import HEADERS

from event_bus.delivery.deliveries import Deliveries, Delivery
from event_bus.delivery.subscriber import Subscriber
from event_bus.log.log import Log
from event_bus.log.store import PAGE_EVENTS, Record, StoreError

LINGER = 0.003  # seconds that a courier waits for company for a single event
BACK_OFF = (0.1, 2.0)  # seconds: the first pause after a failure, and the longest
TIME_OUT = (1.0, 10.0)  # seconds to connect, and for the whole answer
LONGEST_ANSWER = 64 * 1024  # bytes
SOMEBODY_ELSE = {404, 413, 415}  # so answers what does not know batches; a 2xx without a position does, too
CONFUSED = {400, 405, 422, 500}  # and so does what trips over one: it is somebody else if ours has left

logger = logging.getLogger("event-bus")


class EndlessAnswer(Exception):
    """An answer that is too long, or takes too long."""


class Courier:
    """The thread that serves one subscriber, over one kept-alive connection."""

    def __init__(self, subscriber: Subscriber, log: Log, deliveries: Deliveries) -> None:
        self.subscriber = subscriber
        self.log = log
        self.deliveries = deliveries
        self.session = new_session()
        threading.Thread(target=self._run, name=f"courier-{subscriber.name}", daemon=True).start()

    def _run(self) -> None:
        pause = BACK_OFF[0]
        while not self.subscriber.gone:
            try:
                batch, registrations = self._next_batch()
            except StoreError as error:
                logger.error("nothing for %s: %s", self.subscriber.name, error)
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

    def _next_batch(self) -> tuple[list[Record], int]:
        """Wait until there is something to carry, and take it: at most 1 MiB, one event for a listed subscriber."""
        subscriber = self.subscriber
        with self.log.grown:
            self.log.grown.wait_for(lambda: subscriber.gone or subscriber.position < subscriber.horizon)
        time.sleep(LINGER)
        with self.log.grown:
            # It may have spoken for itself, or been paused, while we lingered: then there is nothing here.
            most = 1 if subscriber.mode == "listed" else PAGE_EVENTS
            most = min(most, subscriber.horizon - subscriber.position)
            batch = self.log.read(subscriber.position, most) if most > 0 and not subscriber.gone else []
            subscriber.busy = bool(batch)
            return batch, subscriber.registrations

    def _deliver(self, batch: list[Record], registrations: int) -> bool:
        """Carry a batch; take the answer, unless the subscriber has spoken for itself. Return whether that failed."""
        begun = time.monotonic()
        replay = self.subscriber.replays(batch[0].seq)
        try:
            status, answer = self._send(batch)
            error = None
        except Exception as problem:  # whatever lives there, it must not end the courier
            status, answer, error = 0, {}, reason(problem)
        with self.log.grown:
            result = "late" if registrations != self.subscriber.registrations else self._take(status, answer, error)
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

    def _send(self, batch: list[Record]) -> tuple[int, dict[str, Any]]:
        """Make the request; return its status and its answer as an object, an empty one where it is none."""
        if self.subscriber.mode == "listed":
            headers = {**HEADERS, "Content-Type": "application/json"}
            body = batch[0].body
        else:
            headers = {
                **HEADERS,
                "Content-Type": "application/cloudevents-batch+json",
                "Minibus-Log": self.log.id,
                "Minibus-Head": str(self.log.head),
                "Minibus-Skip": ",".join(map(str, sorted(self.subscriber.parked))),
            }
            body = b"[" + b",".join(record.body for record in batch) + b"]"
        url = f"{self.subscriber.url}/events"
        deadline = time.monotonic() + sum(TIME_OUT)
        with self.session.post(
            url, data=body, headers=headers, timeout=TIME_OUT, stream=True, allow_redirects=False
        ) as response:
            return response.status_code, read_object(response, deadline)

    def _take(self, status: int, answer: dict[str, Any], error: str | None) -> str:
        """Take an answer: an acknowledgement, a gap to go back over, a refusal, or something else altogether."""
        subscriber = self.subscriber
        was_reachable = subscriber.reachable
        if subscriber.mode == "listed":
            error = error or (None if 200 <= status < 300 else f"answered {status}")
            subscriber.pass_by(error)
            return "lost" if error else "delivered"
        position = answer.get("position")
        if type(position) is not int or position < 0:
            position = None
        if position is not None and status == 200:
            subscriber.acknowledge(position)
            return "delivered"
        if position is not None and status == 409 and position != subscriber.position:
            subscriber.acknowledge(position)
            return "gap"
        if position is not None and status == 422 and type(seq := answer.get("refused")) is int:
            if subscriber.refuse(position, seq, str(answer.get("error"))):
                logger.error("%s: event %d is parked: %s", subscriber.name, seq, answer.get("error"))
            return "refused"
        confused = status in CONFUSED and subscriber.left
        if position is None and (200 <= status < 300 or status in SOMEBODY_ELSE or confused):
            logger.info("%s does not count: going on in the course's way at %d", subscriber.name, subscriber.position)
            subscriber.fall_back()
            return "listed"
        subscriber.fail(error or f"answered {status} without saying how far it is")
        if was_reachable:
            logger.info("%s is down at %d: %s", subscriber.name, subscriber.position, subscriber.last_error)
        return "failed"

    def _rest(self, seconds: float, registrations: int) -> None:
        """Wait before the next try, unless the subscriber says that it is back."""
        subscriber = self.subscriber
        with self.log.grown:
            self.log.grown.wait_for(lambda: subscriber.gone or subscriber.registrations != registrations, seconds)


FAILED = {"failed", "refused", "lost"}


def read_object(response: requests.Response, deadline: float) -> dict[str, Any]:
    """Read an answer as a JSON object, an empty one where it is something else; never more than is sensible."""
    try:
        answer = msgspec.json.decode(read_answer(response, LONGEST_ANSWER, deadline))
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def read_answer(response: requests.Response, longest: int, deadline: float) -> bytes:
    """Read an answer of at most so many bytes. Raises `EndlessAnswer`."""
    body = bytearray()
    for chunk in response.iter_content(16 * 1024):
        body += chunk
        if len(body) > longest or time.monotonic() > deadline:
            raise EndlessAnswer
    return bytes(body)


def reason(problem: Exception) -> str:
    """Say in a few words why a request failed."""
    if isinstance(problem, EndlessAnswer):
        return "its answer does not end"
    if isinstance(problem, requests.Timeout) or "timed out" in str(problem):
        return "did not answer in time"
    return "nobody answers there" if isinstance(problem, requests.ConnectionError) else str(problem)
