"""A line between two parts: passes requests on, and does to them what it was told to do. It counts what did happen."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tests.chaos.commands import Fault

PATIENCE = 15.0  # seconds for an answer; whoever asked has given up by then
LATE, MUCH_LATER = 0.03, 0.15  # seconds, at least
WATCHED = 0.2  # seconds in which a commit begins, or does not
HOP_BY_HOP = {"connection", "host", "content-length", "transfer-encoding"}

Saw = Callable[[str, str], None]  # which fault, where
Kill = Callable[[str, int], bool]  # which part, for how many milliseconds → whether it was alive


class Request(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """An answer, complete."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def position(self) -> int:
        """How far the subscriber says that it is."""
        return msgspec.json.decode(self.body, type=dict[str, Any]).get("position", 0) if self.status == 200 else 0


class Cut(Exception):
    """The connection breaks; so much of an answer comes before."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__("cut")
        self.answer = answer


class Line:
    """Listens for whoever speaks on this line (`posts to bus`), at `url`, and passes everything on to `target`.

    What is armed is done to the next request that publishes or delivers, if it can be. `saw` is told, by name, what was
    seen to happen: that a delivery was sent twice does not count, that the subscriber answered both times does.
    """

    def __init__(self, name: str, target: str, saw: Saw, kill: Kill, wal: Callable[[], Path]) -> None:
        self.name = name
        self.speaker, self.hearer = name.split(" to ")
        self.host = target.removeprefix("http://")
        self._saw = saw
        self.kill = kill
        self.wal = wal  # the bus's write-ahead log
        self.armed: list[Fault] = []
        self.lock = threading.Lock()
        self.under_way: list[threading.Timer] = []
        line = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                line.handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: Any) -> None:
                """Whoever spoke is gone, which is what happens here."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def saw(self, fault: str) -> None:
        """Tell that a fault has happened on this line."""
        self._saw(fault, self.name)

    def arm(self, fault: Fault) -> None:
        """Do this to the next requests."""
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
        self.server.shutdown()
        self.server.server_close()

    # -- requests -----------------------------------------------------------------------------------------------

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Take a request, and let its answer, a part of it or nothing come back."""
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length)
        if len(body) < length:  # whoever sent it has been killed
            handler.close_connection = True
            return
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in HOP_BY_HOP}
        request = Request(handler.command, handler.path, headers, body)
        try:
            self.write(handler, self.answer(request))
        except Cut as cut:
            handler.close_connection = True
            if cut.answer:
                self.write(handler, cut.answer, share=0.5)
        except (OSError, http.client.HTTPException):
            handler.close_connection = True

    @staticmethod
    def write(handler: BaseHTTPRequestHandler, answer: Answer, share: float = 1.0) -> None:
        """Send an answer, or the beginning of its body."""
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body[: int(len(answer.body) * share)])

    def answer(self, request: Request) -> Answer:
        """Pass a request on as it is, or with the first fault that is armed and can be done to it."""
        if request.method != "POST" or request.path != "/events":
            return self.pass_on(request)
        with self.lock:
            fault = next((one for one in self.armed if can_suffer(request, one.kind)), None)
            if fault:
                self.armed.remove(fault)
        suffer = getattr(self, fault.kind.replace(" ", "_")) if fault else None
        answer = suffer(request, fault) if suffer else self.pass_on(request)
        if answer.status == 409:
            self.saw("gap")
        return answer

    def pass_on(self, request: Request) -> Answer:
        """Send a request to where it belongs; return the whole answer."""
        connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
        try:
            connection.request(request.method, request.path, request.body, request.headers)
            answer = connection.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()

    @property
    def what(self) -> str:
        """What passes here: from the bus to a service a delivery, otherwise a publish."""
        return "delivery" if self.speaker == "bus" else "publish"

    # -- faults, by their names -----------------------------------------------------------------------------------

    def lose(self, request: Request, fault: Fault) -> Answer:
        """Lose the request."""
        self.saw(f"{self.what} lost")
        raise Cut

    def cut(self, request: Request, fault: Fault) -> Answer:
        """Cut the answer off in its middle: whoever asked cannot know that it was done."""
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
        """Let the request wait."""
        time.sleep(LATE + fault.wait / 1000)
        self.saw(f"{self.what} late")
        return self.pass_on(request)

    def stale(self, request: Request, fault: Fault) -> Answer:
        """Break off, and deliver all the same, much later: by then the bus has tried again."""

        def deliver() -> None:
            try:
                answer = self.pass_on(request)
            except (OSError, http.client.HTTPException):
                return
            if answer.position >= numbers(request)[-1]:
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
        """Kill a service when it has applied a delivery, before the bus knows."""
        answer = self.pass_on(request)
        if answer.status == 200 and self.kill(self.hearer, fault.wait):
            self.saw("kill between applying and answering")
        raise Cut

    def kill_the_speaker(self, request: Request, fault: Fault) -> Answer:
        """Kill a service when it is about to publish a reaction: it has applied the cause, and the bus knows."""
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


def size_and_time(file: Path) -> tuple[int, int]:
    """Return what changes when somebody writes to the file."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)
