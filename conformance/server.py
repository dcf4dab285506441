"""The checker's servers: each stands in for a part at its port. If the port is in use, the error says what to do."""

from __future__ import annotations

import harness.server
from harness.server import Answer, Request, Respond
from infra.owners import find_owners
from infra.parts import is_taken

HOSTS = ("127.0.0.1", "::1")  # a client's localhost may be either
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}


class CannotCheck(Exception):
    """The reason why there is no verdict, and what to do about it."""


class Server(harness.server.Server):
    """A server at one port, in the place of a part. Pages of any origin may read its answers."""

    def __init__(self, port: int, part: str, respond: Respond) -> None:
        super().__init__(self._respond_to_any_page, port, HOSTS)
        self.part = part
        self.answer = respond

    def _respond_to_any_page(self, request: Request) -> Answer:
        answer = self.answer(request)
        return answer._replace(headers={**answer.headers, **CORS})

    def open(self) -> None:
        """Listen at the port. Raises `CannotCheck` if another program uses it."""
        if is_in_use(self.port):
            raise CannotCheck(
                f"Port {self.port} is in use by {owner(self.port)}, and the checker's own {self.part} has to listen "
                "there. End that program with Ctrl-C in its terminal. If it is a part of Minibus: "
                f"make stop SERVICE={self.part.rpartition(' ')[2]}"
            )
        try:
            super().open()
        except OSError as error:
            raise CannotCheck(f"The checker cannot listen at port {self.port}: {error}.") from None


def is_in_use(port: int) -> bool:
    """Return whether a program listens at this port of a local host."""
    return any(is_taken(port, host) for host in HOSTS)


def owner(port: int) -> str:
    """Return the name of the program that listens at this port, as far as this user may see it."""
    process = find_owners({port}).get(port)
    return f"{process.name()} (process {process.pid})" if process else "another program"
