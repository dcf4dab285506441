"""The checker's servers: each stands in for a part at its port, and says what to do where that port is in use."""

from __future__ import annotations

import harness.server
from harness.server import Answer, Request, Respond
from infra.owners import find_owners
from infra.parts import is_taken

HOSTS = ("127.0.0.1", "::1")  # a client's localhost may be either
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}


class CannotCheck(Exception):
    """Why nothing can be checked, and what to do about it: no verdict, neither good nor bad."""


class Server(harness.server.Server):
    """Answers at one port of this machine, in the place of a part; a page of any origin may read its answers."""

    def __init__(self, port: int, part: str, respond: Respond) -> None:
        super().__init__(self._respond_to_any_page, port, HOSTS)
        self.part = part
        self.answer = respond

    def _respond_to_any_page(self, request: Request) -> Answer:
        answer = self.answer(request)
        return answer._replace(headers={**answer.headers, **CORS})

    def open(self) -> None:
        """Listen. Raises `CannotCheck` where another program does."""
        if is_in_use(self.port):
            raise CannotCheck(
                f"Port {self.port} is in use by {owner(self.port)}, and the checker's own {self.part} has to listen "
                "there. End it first: Ctrl-C where it runs; if it is one of ours: "
                f"make stop SERVICE={self.part.rpartition(' ')[2]}"
            )
        try:
            super().open()
        except OSError as error:
            raise CannotCheck(f"The checker cannot listen at port {self.port}: {error}.") from None


def is_in_use(port: int) -> bool:
    """Tell whether a program listens at this port of any host."""
    return any(is_taken(port, host) for host in HOSTS)


def owner(port: int) -> str:
    """Return the name of the program that listens at this port, as far as this user may see it."""
    process = find_owners({port}).get(port)
    return f"{process.name()} (process {process.pid})" if process else "another program"
