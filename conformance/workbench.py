"""What a rule works with: the service, the checker's bus around it, and, if CMD is set, the service's process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, TypeVar

from conformance.answer import Answer, NoAnswer, ask
from conformance.contract import Broken
from conformance.little_bus import LittleBus
from conformance.process import Process
from conformance.server import CannotCheck

T = TypeVar("T")

START = 30.0  # seconds within which a service has to answer after its start
NOTICE = 1.0  # seconds within which a service notices that the bus is down
TRY_AGAIN = 0.05  # seconds


class Workbench:
    """A service under test at `url`. `say` prints what the checker waits for."""

    def __init__(self, url: str, process: Process | None, patience: float, say: Callable[[str], None]) -> None:
        self.url = url
        self.process = process
        self.patience = patience
        self.say = say

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """Send a request to the service; return its answer. Raises `NoAnswer`."""
        return ask(method, self.url + path, body, **more)

    def get(self, path: str) -> Answer:
        """Send a GET request to the service; return its answer."""
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> Answer:
        """Send JSON to the service with POST; return its answer."""
        return self.ask("POST", path, body)

    def until(self, trial: Callable[[], T]) -> T:
        """Repeat a trial until it raises no `Broken`, for at most `patience` seconds; return its result."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return trial()
            except Broken:
                if time.monotonic() > deadline:
                    raise
            self.rest()

    def rest(self) -> None:
        """Wait a moment before the next try."""
        time.sleep(TRY_AGAIN)

    @property
    def surroundings(self) -> str:
        """Describe what the checker runs around the service."""
        return ""

    # -- start and end ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start the service if CMD is set, and wait until it answers."""
        if self.process:
            self.process.start()
        self.wait(quietly=1)

    def close(self) -> None:
        """Kill the service if the checker started it."""
        if self.process:
            self.process.kill()

    def wait(self, quietly: float = 5) -> None:
        """Wait until the service answers any request; after `quietly` seconds print so. Raises `CannotCheck`."""
        begun = time.monotonic()
        announced = False
        while not self.answers():
            waited = time.monotonic() - begun
            if self.process and self.process.has_ended:
                raise CannotCheck(f"{self.process.command!r} has ended before it answered at {self.url}.")
            if waited > START:
                raise CannotCheck(f"No service has answered at {self.url} for {START:.0f} s. Start it, or correct URL.")
            if waited > quietly and not announced:
                announced = True
                self.say(
                    f"Waiting for an answer at {self.url} …" + ("" if self.process else " Start your service now.")
                )
            time.sleep(TRY_AGAIN)

    def answers(self) -> bool:
        """Return whether the service answers a request, with any status."""
        try:
            self.get("/")
        except NoAnswer:
            return False
        return True

    @contextmanager
    def away(self) -> Iterator[None]:
        """Kill the service for the duration of a block, then start it again."""
        assert self.process, "declare a rule that kills with kills=True"
        self.process.kill()
        yield
        self.process.start()
        self.wait()

    def unique(self, text: str) -> str:
        """Return a text with a random suffix, so that no earlier text is equal to it."""
        return f"{text} {token_hex(3)}"


class ServiceBench(Workbench):
    """A service with the checker's little bus around it."""

    def __init__(self, bus: LittleBus, *given: Any) -> None:
        super().__init__(*given)
        self.bus = bus

    @property
    def surroundings(self) -> str:
        """Describe what the checker runs around the service."""
        return f"with the checker's own little event bus at {self.bus.url}"

    def open(self) -> None:
        """Start the bus, then the service: a service may call the bus as soon as it starts."""
        self.bus.server.open()
        super().open()

    def close(self) -> None:
        """End the service, then the bus."""
        super().close()
        self.bus.server.close()

    def start_without_the_bus(self) -> None:
        """Restart the service while the bus is down, and wait until the service can have noticed that."""
        assert self.process, "declare a rule that kills with kills=True"
        self.process.kill()
        with self.bus.away():
            self.process.start()
            deadline = time.monotonic() + START / 3
            # A service need not answer before it has found its bus.
            while not self.answers() and time.monotonic() < deadline:
                time.sleep(TRY_AGAIN)
            time.sleep(NOTICE)

    def new_post(self) -> str:
        """Publish a new post; return its id."""
        post = {"id": token_hex(4), "title": self.unique("A post")}
        self.bus.publish("PostCreated", post).has_status(200)
        return post["id"]

    def new_comment(self, post_id: str, content: str = "", status: str = "pending") -> dict[str, str]:
        """Return the data of a new comment."""
        content = content or self.unique("A comment")
        return {"id": token_hex(4), "content": content, "postId": post_id, "status": status}
