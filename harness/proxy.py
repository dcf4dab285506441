"""The fault proxy: it stands between two parts, and passes each request on through a fault that it may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from email.message import Message
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

from harness.server import Answer, Pieces, Request, Server

PIECE = 65_536  # bytes
HOP_BY_HOP = {"connection", "host", "keep-alive", "transfer-encoding", "content-length"}

PassOn = Callable[[Request], Answer]
Fault = Callable[[Request, PassOn], Answer]


def no_fault(request: Request, pass_on: PassOn) -> Answer:
    """Pass a request on as it is."""
    return pass_on(request)


class Proxy(Server):
    """Pass each request on to `route(path)`, through a fault.

    A fault gets the request and the function that passes it on, and returns the answer. So it can wait, change the
    request or its answer, pass it on twice or not at all, and raise `Cut` to break the connection off. `seen` counts
    by name what a fault says that it has done; counting before it is done would count faults that did not happen.
    """

    answered_within = 60.0  # seconds

    def __init__(self, route: Callable[[str], str], fault: Fault = no_fault, keeps_connections: bool = False) -> None:
        super().__init__(self._respond, keeps_connections=keeps_connections)
        self.route = route
        self.fault = fault
        self.seen: Counter[str] = Counter()
        self.open()

    def _respond(self, request: Request) -> Answer:
        return self.fault(request, self.pass_on)

    def pass_on(self, request: Request) -> Answer:
        """Send a request to its part; return the answer, complete unless it is a stream. Raises `OSError`."""
        host = urlsplit(self.route(request.path)).netloc
        with ExitStack() as until_answered:
            connection = until_answered.enter_context(closing(HTTPConnection(host, timeout=self.answered_within)))
            connection.request(request.method, request.path, request.body or None, without_hops(request.headers))
            response = connection.getresponse()
            headers = without_hops(response.headers)
            if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                return Answer(response.status, headers, stream(response, until_answered.pop_all()))
            return Answer(response.status, headers, response.read())


def without_hops(headers: Message) -> dict[str, str]:
    """Return the headers without those that are between two neighbours only (RFC 9110, section 7.6.1)."""
    return {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}


def stream(response: HTTPResponse, connection: ExitStack) -> Pieces:
    """Yield a stream as it comes, until one end closes it."""
    with connection:
        while piece := response.read1(PIECE):
            yield piece
