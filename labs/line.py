"""A connection between two parts that breaks on purpose: it loses a request or its answer, or delays either."""

from __future__ import annotations

import threading

from harness.proxy import PassOn, Proxy
from harness.server import Answer, Cut, Request


class Line(Proxy):
    """Carry requests to the part at `url`. A fault meets each request with a text in it; `hits` counts these."""

    def __init__(self, url: str) -> None:
        self.hits = 0
        self.answered: list[bytes] = []
        self._mended = threading.Event()
        self.mend()
        super().__init__(lambda path: url, self._carry)

    def count(self, text: str) -> int:
        """Return how many requests with this text the part has answered."""
        return sum(text.encode() in body for body in self.answered)

    def lose(self, text: str) -> None:
        """Lose every request with this text."""
        self._break("lose", text)

    def delay(self, text: str) -> None:
        """Delay every request with this text until the line is mended."""
        self._break("delay", text)

    def delay_and_lose(self, text: str) -> None:
        """Delay every request with this text, and lose it when the line is mended."""
        self._break("delay and lose", text)

    def delay_an_answer(self, text: str) -> None:
        """Carry every request with this text, and delay its answer until the line is mended."""
        self._break("delay an answer", text)

    def lose_an_answer(self, text: str) -> None:
        """Carry the next request with this text, and lose its answer."""
        self._break("lose an answer", text)

    def mend(self) -> None:
        """Carry all requests again, and release the delayed ones."""
        self._fault, self._text = "", b""
        self._mended.set()

    def close(self) -> None:
        """Stop listening."""
        self.mend()
        super().close()

    def _break(self, fault: str, text: str) -> None:
        self._fault, self._text = fault, text.encode()
        self._mended.clear()

    def _meets(self, body: bytes, *faults: str) -> str:
        fault = self._fault if self._text in body and self._fault in faults else ""
        self.hits += bool(fault)
        return fault

    def _carry(self, request: Request, pass_on: PassOn) -> Answer:
        fault = self._meets(request.body, "lose", "delay", "delay and lose")
        if fault.startswith("delay"):
            self._mended.wait()
        if fault.endswith("lose"):
            raise Cut
        answer = pass_on(request)
        self.answered.append(request.body)
        fault = self._meets(request.body, "delay an answer", "lose an answer")
        if fault == "delay an answer":
            self._mended.wait()
        if fault == "lose an answer":
            self.mend()
            raise Cut
        return answer
