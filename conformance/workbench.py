"""What a rule holds in its hands: the service, the bus around it, and, if the command is known, its process."""

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

START = 30.0  # seconds that a service has until it answers
NOTICE = 1.0  # seconds in which a service notices that the bus is away
TRY_AGAIN = 0.05  # seconds


class Workbench:
    """A service under test at `url`; `say` tells the person what is being waited for."""

    def __init__(self, url: str, process: Process | None, patience: float, say: Callable[[str], None]) -> None:
        self.url = url
        self.process = process
        self.patience = patience
        self.say = say

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """Ask the service. Raises `NoAnswer`."""
        return ask(method, self.url + path, body, **more)

    def get(self, path: str) -> Answer:
        """Ask the service for what is there."""
        return self.ask("GET", path)

    def post(self, path: str, body: Any) -> Answer:
        """Send JSON to the service."""
        return self.ask("POST", path, body)

    def until(self, trial: Callable[[], T]) -> T:
        """Try again until nothing is broken, for as long as the patience lasts."""
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
        """Say what stands around the service."""
        return ""

    # -- its life -----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Set up what stands around the service, then start it, or wait until somebody does."""
        if self.process:
            self.process.start()
        self.wait(quietly=1)

    def close(self) -> None:
        """End everything that was started."""
        if self.process:
            self.process.kill()

    def wait(self, quietly: float = 5) -> None:
        """Wait until the service answers anything at all, for some seconds `quietly`. Raises `CannotCheck`."""
        begun = time.monotonic()
        told = False
        while not self.answers():
            waited = time.monotonic() - begun
            if self.process and self.process.has_ended:
                raise CannotCheck(f"{self.process.command!r} has ended before it answered at {self.url}.")
            if waited > START:
                raise CannotCheck(f"Nobody answers at {self.url}, after {START:.0f} s.")
            if waited > quietly and not told:
                told = True
                self.say(
                    f"Waiting for an answer at {self.url} …" + ("" if self.process else " Start your service now.")
                )
            time.sleep(TRY_AGAIN)

    def answers(self) -> bool:
        """Whether the service answers anything at all."""
        try:
            self.get("/")
        except NoAnswer:
            return False
        return True

    @contextmanager
    def away(self) -> Iterator[None]:
        """Kill the service, and start it again afterwards."""
        assert self.process, "a rule that kills says so"
        self.process.kill()
        yield
        self.process.start()
        self.wait()

    def unique(self, words: str) -> str:
        """Return these words with something behind them that nobody has written before."""
        return f"{words} {token_hex(3)}"


class ServiceBench(Workbench):
    """A service with the checker's little bus around it."""

    def __init__(self, bus: LittleBus, *given: Any) -> None:
        super().__init__(*given)
        self.bus = bus

    @property
    def surroundings(self) -> str:
        """Say what stands around the service."""
        return f"with the checker's own little event bus at {self.bus.url}"

    def open(self) -> None:
        """Open the bus first: a service may look for it as soon as it starts."""
        self.bus.server.open()
        super().open()

    def close(self) -> None:
        """End the service, then the bus."""
        super().close()
        self.bus.server.close()

    def start_without_the_bus(self) -> None:
        """Kill the service and start it while there is no bus, long enough for it to notice."""
        assert self.process, "a rule that kills says so"
        self.process.kill()
        with self.bus.away():
            self.process.start()
            deadline = time.monotonic() + START / 3
            # It may well answer nobody before it has found its bus.
            while not self.answers() and time.monotonic() < deadline:
                time.sleep(TRY_AGAIN)
            time.sleep(NOTICE)

    def new_post(self) -> str:
        """Let somebody write a post; return its id."""
        post = {"id": token_hex(4), "title": self.unique("A post")}
        self.bus.publish("PostCreated", post).has_status(200)
        return post["id"]

    def new_comment(self, post_id: str, content: str = "", status: str = "pending") -> dict[str, str]:
        """Return what somebody might say of a comment."""
        content = content or self.unique("A comment")
        return {"id": token_hex(4), "content": content, "postId": post_id, "status": status}
