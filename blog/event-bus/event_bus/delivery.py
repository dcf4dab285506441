"""Delivery: one courier a subscriber carries the log to it, in order, at least once, in batches."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import requests

from event_bus.log import Log
from event_bus.store import Record

LINGER = 0.003  # seconds that a courier waits for company for a single event
SILENCE = 5.0  # seconds without a word after which a subscriber counts as down
BACK_OFF = (0.1, 2.0)  # seconds: the first pause after a failure, and the longest
TIME_OUT = (1.0, 10.0)  # seconds to connect, and between two parts of an answer
TRIES = 3  # refusals of the same event before it is parked

log_of = logging.getLogger("event-bus")


class Subscriber:
    """A service that registered: where it lives, how far it is, and the courier that serves it."""

    def __init__(self, name: str, log: Log) -> None:
        self.name = name
        self.log = log
        self.url = ""
        self.position = 0
        self.target = 0
        self.heard = 0.0
        self.reachable = False
        self.last_error: str | None = None
        self.parked: set[int] = set()
        self.gone = False
        self._registrations = 0
        self._refusals = 0
        self._session = requests.Session()

    # -- what others see and say --------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """`down`, `replaying` (what was in the log when it registered), or `live`."""
        if not self.reachable or time.monotonic() - self.heard > SILENCE:
            return "down"
        return "replaying" if self.position < self.target else "live"

    def describe(self) -> dict[str, Any]:
        """Tell everything about this subscriber, as JSON."""
        return {
            "name": self.name,
            "url": self.url,
            "mode": "registered",
            "position": self.position,
            "lag": self.log.head - self.position,
            "state": self.state,
            "last_error": self.last_error,
            "parked": sorted(self.parked),
        }

    def register(self, url: str, log_id: str | None, after: int) -> None:
        """Take the subscriber's word for where it stands; another log, or beyond the head: 0."""
        with self.log.grown:
            was = self.state
            if log_id != self.log.id:
                # It has just started, so it may be mended: what was parked is tried again.
                self.parked.clear()
            if log_id != self.log.id or after > self.log.head:
                after = 0
            if after < self.position or not self.reachable:
                self.target = self.log.head
            self.url, self.position = url, after
            self.heard, self.reachable = time.monotonic(), True
            self._registrations += 1
            if self._registrations == 1:
                threading.Thread(target=self._deliver_forever, name=f"courier-{self.name}", daemon=True).start()
            if was != self.state:
                log_of.info("%s is %s at %d of %d", self.name, self.state, after, self.log.head)
            self.log.grown.notify_all()

    def say_goodbye(self) -> None:
        """Take note that the service stops now."""
        if self.reachable:
            log_of.info("%s is down: it said goodbye at %d", self.name, self.position)
        self.reachable = False
        self.last_error = "it said goodbye"

    def leave(self) -> None:
        """End the courier."""
        with self.log.grown:
            self.gone = True
            self.log.grown.notify_all()

    # -- the courier --------------------------------------------------------------------------------------------

    def _deliver_forever(self) -> None:
        pause = BACK_OFF[0]
        while batch := self._next_batch():
            registrations = self._registrations
            try:
                answer = self._send(batch)
                self._take(answer, registrations)
                pause = BACK_OFF[0]
            except (requests.RequestException, NotOurs) as error:
                self._note_failure(error, registrations)
                self._rest(pause, registrations)
                pause = min(2 * pause, BACK_OFF[1])

    def _next_batch(self) -> list[Record]:
        """Wait until there is something to carry; return it, at most 1 MiB, or nothing once we are gone."""
        batch: list[Record] = []
        while not batch and not self.gone:
            with self.log.grown:
                self.log.grown.wait_for(lambda: self.gone or self.position < self.log.head)
            time.sleep(LINGER)
            # It may have spoken for itself while we lingered: then there is nothing here, and we wait again.
            batch = self.log.store.read(self.position)
        return [] if self.gone else batch

    def _send(self, batch: list[Record]) -> requests.Response:
        headers = {
            "Content-Type": "application/cloudevents-batch+json",
            "Minibus-Log": self.log.id,
            "Minibus-Head": str(self.log.head),
            "Minibus-Skip": ",".join(map(str, sorted(self.parked))),
        }
        body = b"[" + b",".join(record.body for record in batch) + b"]"
        return self._session.post(f"{self.url}/events", data=body, headers=headers, timeout=TIME_OUT)

    def _take(self, response: requests.Response, registrations: int) -> None:
        """Take the answer: an acknowledgement, a gap to go back over, or a refusal."""
        answer = _json_object(response)
        position = answer.get("position")
        if response.status_code not in (200, 409, 422) or type(position) is not int or position < 0:
            raise NotOurs(f"{response.status_code} {response.reason} instead of a position")
        if response.status_code == 409 and position == self.position:
            raise NotOurs(f"it asks for event {position + 1} and does not take it")
        with self.log.grown:
            if registrations != self._registrations:
                # It has spoken for itself meanwhile, and knows better.
                return
            self.reachable, self.last_error, self.heard = True, None, time.monotonic()
            self.position = min(position, self.log.head)
            if response.status_code == 422:
                self._note_refusal(answer)

    def _note_refusal(self, answer: dict[str, Any]) -> None:
        seq = answer.get("refused", self.position + 1)
        self.last_error = f"refused event {seq}: {answer.get('error')}"
        self._refusals += 1
        if self._refusals >= TRIES:
            self._refusals = 0
            self.parked.add(seq)
            log_of.error("%s: event %d is parked: %s", self.name, seq, answer.get("error"))

    def _note_failure(self, error: Exception, registrations: int) -> None:
        with self.log.grown:
            if registrations != self._registrations:
                return
            if self.reachable:
                log_of.info("%s is down at %d: %s", self.name, self.position, error)
            self.reachable, self.last_error = False, str(error)

    def _rest(self, seconds: float, registrations: int) -> None:
        """Wait before the next try, unless the subscriber says that it is back."""
        with self.log.grown:
            self.log.grown.wait_for(lambda: self.gone or self._registrations != registrations, seconds)


class NotOurs(Exception):
    """An answer that no subscriber of ours gives."""


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
