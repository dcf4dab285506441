"""A line between two parts that breaks on purpose: it loses a request, loses an answer, or holds what it carries."""

from __future__ import annotations

import threading

from labs.gateway import Cut, Gateway


class Line(Gateway):
    """Carries requests to the part at `url`. A fault meets what has a text in it; `hits` counts what it met."""

    def __init__(self, url: str) -> None:
        self.hits = 0
        self.answered: list[bytes] = []
        self._free = threading.Event()
        self.mend()
        super().__init__(lambda path: url, self._carry, self._bring_back)

    def count(self, text: str) -> int:
        """Return how many requests with this text were answered at the other end."""
        return sum(text.encode() in body for body in self.answered)

    def lose(self, text: str) -> None:
        """Lose every request with this text."""
        self._break("lose", text)

    def hold(self, text: str) -> None:
        """Hold every request with this text until the line is mended."""
        self._break("hold", text)

    def hold_and_lose(self, text: str) -> None:
        """Hold every request with this text, and lose it when the line is mended."""
        self._break("hold and lose", text)

    def hold_an_answer(self, text: str) -> None:
        """Carry every request with this text, and hold its answer until the line is mended."""
        self._break("hold an answer", text)

    def lose_an_answer(self, text: str) -> None:
        """Carry the next request with this text, and lose its answer."""
        self._break("lose an answer", text)

    def mend(self) -> None:
        """Carry everything again, also what was held."""
        self._fault, self._text = "", b""
        self._free.set()

    def close(self) -> None:
        """Stop listening."""
        self.mend()
        super().close()

    def _break(self, fault: str, text: str) -> None:
        self._fault, self._text = fault, text.encode()
        self._free.clear()

    def _meets(self, body: bytes, *faults: str) -> str:
        fault = self._fault if self._text in body and self._fault in faults else ""
        self.hits += bool(fault)
        return fault

    def _carry(self, method: str, path: str, body: bytes) -> None:
        fault = self._meets(body, "lose", "hold", "hold and lose")
        if fault.startswith("hold"):
            self._free.wait()
        if fault.endswith("lose"):
            raise Cut

    def _bring_back(self, method: str, path: str, body: bytes) -> None:
        self.answered.append(body)
        fault = self._meets(body, "hold an answer", "lose an answer")
        if fault == "hold an answer":
            self._free.wait()
        if fault == "lose an answer":
            self.mend()
            raise Cut
