"""The faults of a chaos run, on a fault proxy between two parts. A line counts the faults that did happen."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from harness.proxy import PassOn, Proxy
from harness.server import Answer, Cut, Request
from tests.chaos.commands import Fault

LATE, MUCH_LATER = 0.03, 0.15  # seconds, at least
WATCHED = 0.2  # seconds in which a commit begins, or does not

Saw = Callable[[str, str], None]  # which fault, where
Kill = Callable[[str, int], bool]  # which part, for how many milliseconds → whether it was alive


class Line(Proxy):
    """Carries requests from one part to another (`posts to bus`), the part at `target`.

    An armed fault meets the next request that publishes or delivers and that can suffer it. `saw` gets the name of each
    fault that happened: a delivery sent twice counts when the subscriber has answered both times.
    """

    answered_within = 15.0  # seconds; a client has given up by then

    def __init__(self, name: str, target: str, saw: Saw, kill: Kill, wal: Callable[[], Path]) -> None:
        self.name = name
        self.speaker, self.hearer = name.split(" to ")
        self.report = saw
        self.kill = kill
        self.wal = wal  # the bus's write-ahead log
        self.armed: list[Fault] = []
        self.lock = threading.Lock()
        self.under_way: list[threading.Timer] = []
        super().__init__(lambda path: target, self.suffer, keeps_connections=True)

    def saw(self, fault: str) -> None:
        """Count a fault that has happened, and report it."""
        self.seen[fault] += 1
        self.report(fault, self.name)

    def arm(self, fault: Fault) -> None:
        """Arm a fault for the next requests."""
        with self.lock:
            self.armed += [fault] * fault.times

    def calm(self) -> None:
        """Forget what is armed, and wait for what is still on its way."""
        with self.lock:
            self.armed.clear()
        while self.under_way:
            self.under_way.pop().join()

    def close(self) -> None:
        """Stop listening."""
        self.calm()
        super().close()

    # -- requests -----------------------------------------------------------------------------------------------

    def suffer(self, request: Request, pass_on: PassOn) -> Answer:
        """Pass a request on as it is, or with the first fault that is armed and can be done to it."""
        if request.method != "POST" or request.path != "/events":
            return pass_on(request)
        with self.lock:
            fault = next((one for one in self.armed if can_suffer(request, one.kind)), None)
            if fault:
                self.armed.remove(fault)
        do = getattr(self, fault.kind.replace(" ", "_")) if fault else None
        answer: Answer = do(request, fault) if do else pass_on(request)
        if answer.status == 409:
            self.saw("gap")
        return answer

    @property
    def what(self) -> str:
        """Return what this line carries: a delivery from the bus to a service, otherwise a publish."""
        return "delivery" if self.speaker == "bus" else "publish"

    # -- faults, by their names -----------------------------------------------------------------------------------

    def lose(self, request: Request, fault: Fault) -> Answer:
        """Lose the request."""
        self.saw(f"{self.what} lost")
        raise Cut

    def cut(self, request: Request, fault: Fault) -> Answer:
        """Cut the answer off in its middle: the client cannot know that its request was executed."""
        answer = self.pass_on(request)
        if answer.status == 200:
            self.saw(f"{self.what} done, its answer cut off")
        raise Cut(answer)

    def twice(self, request: Request, fault: Fault) -> Answer:
        """Send the request twice."""
        first, second = self.pass_on(request), self.pass_on(request)
        if first.status == second.status == 200:
            self.saw(f"{self.what} sent twice")
        return second

    def late(self, request: Request, fault: Fault) -> Answer:
        """Delay the request."""
        time.sleep(LATE + fault.wait / 1000)
        self.saw(f"{self.what} late")
        return self.pass_on(request)

    def stale(self, request: Request, fault: Fault) -> Answer:
        """Break off, and deliver much later; by then the bus has tried again."""

        def deliver() -> None:
            try:
                answer = self.pass_on(request)
            except (OSError, http.client.HTTPException):
                return
            if position(answer) >= numbers(request)[-1]:
                self.saw("delivery out of order: broken off, and delivered later")

        timer = threading.Timer(MUCH_LATER + fault.wait / 1000, deliver)
        timer.start()
        self.under_way.append(timer)
        raise Cut

    def swap(self, request: Request, fault: Fault) -> Answer:
        """Deliver the second half of a batch before the first."""
        events = msgspec.json.decode(request.body, type=list[msgspec.Raw])
        middle = len(events) // 2
        self.pass_on(request._replace(body=msgspec.json.encode(events[middle:])))
        self.saw("delivery out of order: a batch's second half first")
        return self.pass_on(request._replace(body=msgspec.json.encode(events[:middle])))

    def kill_the_hearer(self, request: Request, fault: Fault) -> Answer:
        """Kill a service after it has applied a delivery, before the bus gets its answer."""
        answer = self.pass_on(request)
        if answer.status == 200 and self.kill(self.hearer, fault.wait):
            self.saw("kill between applying and answering")
        raise Cut

    def kill_the_speaker(self, request: Request, fault: Fault) -> Answer:
        """Kill a service that is about to publish a reaction: it has acknowledged the cause."""
        if self.kill(self.speaker, fault.wait):
            self.saw("kill between applying and publishing")
        raise Cut

    def kill_the_bus_in_its_commit(self, request: Request, fault: Fault) -> Answer:
        """Kill the bus as soon as it has begun to write this publish to the disk, and has not answered yet."""
        before = size_and_time(self.wal())
        answers: list[Answer] = []

        def publish() -> None:
            try:
                answers.append(self.pass_on(request))
            except (OSError, http.client.HTTPException):
                return

        publisher = threading.Thread(target=publish)
        publisher.start()
        deadline = time.monotonic() + WATCHED
        while size_and_time(self.wal()) == before and not answers and time.monotonic() < deadline:
            pass
        began = size_and_time(self.wal()) != before
        killed = self.kill("event-bus", fault.wait)
        publisher.join()
        if killed and began and not answers:
            self.saw("kill of the bus in the middle of a commit")
        if not answers:
            raise Cut
        return answers[0]


def can_suffer(request: Request, kind: str) -> bool:
    """Whether a fault of this kind can happen to this request."""
    if kind == "swap":
        return len(numbers(request)) > 1
    return kind != "kill the speaker" or b'"causationid"' in request.body


def numbers(request: Request) -> list[int]:
    """Return the `seq` of the events in a delivery."""
    body = msgspec.json.decode(request.body)
    return [event["seq"] for event in (body if isinstance(body, list) else [body])]


def position(answer: Answer) -> int:
    """Return the position that a subscriber answers to a delivery."""
    return json.loads(answer.body).get("position", 0) if answer.status == 200 else 0  # type: ignore[arg-type]


def size_and_time(file: Path) -> tuple[int, int]:
    """Return size and time of a file, which change with every write."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)
