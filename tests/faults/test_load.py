"""The bus under load: thousands who listen, some who are slow on purpose, a burst while one is down."""

from __future__ import annotations

import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import msgspec
import psutil
import pytest
import requests

from harness.waiting import PATIENCE, eventually
from infra.parts import SERVICES
from tests.support.system import Blog

LISTENERS = int(os.environ.get("LISTENERS", "5000"))
SLOW = 300  # of each kind
BURST = int(os.environ.get("BURST", "100000"))  # events
MB = 1024 * 1024
LISTEN = b"GET /events?after=%d HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
POST = b"POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"

# How those dawdle who mean no good, or whose line is bad.
DAWDLERS = {
    "says nothing": b"",
    "begins a line": b"POST /eve",
    "begins a header": POST + b"X-Slow: ",
    "begins a body": POST + b'Content-Length: 1000\r\n\r\n{"type": "Slow"',
    "begins a chunk": POST + b'Transfer-Encoding: chunked\r\n\r\n400\r\n{"type": "Slow"',
    "never reads": b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


@pytest.fixture(scope="module", autouse=True)
def open_files() -> Iterator[None]:
    """Let this process have as many connections as the tests open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = LISTENERS + SLOW * len(DAWDLERS) + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.fail(f"{wanted} open files are needed, and {hard} are allowed: LISTENERS=1000 needs fewer")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Blog, dict[str, list[socket.socket]]]]:
    """A bus with a log of some megabytes, and dawdlers of every kind."""
    bus = Blog(tmp_path_factory.mktemp("crowded"))
    with ExitStack() as connections:
        connections.callback(bus.close)
        bus.start("event-bus")
        publish(bus, 10_000, "x" * 1000)
        dawdlers: dict[str, list[socket.socket]] = {kind: [] for kind in DAWDLERS}
        for kind, begun in DAWDLERS.items():
            for _ in range(SLOW if kind != "never reads" else SLOW // 10):
                dawdlers[kind].append(connections.enter_context(connect(bus)))
                dawdlers[kind][-1].sendall(begun)
        yield bus, dawdlers


def connect(bus: Blog) -> socket.socket:
    """Connect with little room for what is not read: the system would take a whole log otherwise."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", bus.ports["event-bus"]))
    return connection


def publish(bus: Blog, count: int, text: str) -> None:
    """Publish events in batches of 1,000."""
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    for _ in range(0, count, 1000):
        batch = msgspec.json.encode([{"type": "Filler", "data": text}] * 1000)
        assert requests.post(bus.url("event-bus") + "/events", data=batch, headers=headers, timeout=PATIENCE).ok


def worker(bus: Blog) -> psutil.Process:
    [process] = psutil.Process(bus.processes["event-bus"].pid).children()
    return process


def read_until(connection: socket.socket, word: bytes) -> None:
    """Read until this word has come."""
    heard = b""
    while word not in heard:
        more = connection.recv(65536)
        assert more, heard
        heard += more


@pytest.mark.timeout(300)
def test_thousands_who_listen_and_others_who_dawdle_stop_no_publish(
    crowded: tuple[Blog, dict[str, list[socket.socket]]],
) -> None:
    bus, dawdlers = crowded
    before = worker(bus).memory_info().rss
    with ExitStack() as connections:
        listeners = [connections.enter_context(connect(bus)) for _ in range(LISTENERS)]
        for listener in listeners:
            listener.sendall(LISTEN % 10_000)
        for listener in listeners:
            read_until(listener, b"retry")

        begun = time.monotonic()
        answer = bus.send("event-bus", "/events", {"type": "Heard"})
        published = time.monotonic() - begun
        for listener in listeners:
            read_until(listener, b"Heard")
        heard = time.monotonic() - begun

        assert answer.json()["seq"] == 10_001
        used = worker(bus).memory_info().rss - before
        assert used < 20 * MB + LISTENERS * 50 * 1024
        told = (
            f"stored in {published * 1000:.0f} ms, heard by all in {heard:.1f} s, {used / LISTENERS / 1024:.0f} KB each"
        )
        print(f"\n{LISTENERS:,} listeners, {sum(map(len, dawdlers.values())):,} dawdlers: {told}.")


@pytest.mark.timeout(300)
def test_a_burst_while_one_is_down_keeps_the_memory_flat_and_the_others_going(new_blog: Blog) -> None:
    new_blog.start().ready()
    new_blog.stop("query")
    bus = worker(new_blog)
    post = new_blog.write_post("Before the burst")
    before = peak = bus.memory_info().rss
    over = threading.Event()

    def burst() -> None:
        publish(new_blog, BURST, "x" * 100)
        over.set()

    threading.Thread(target=burst, daemon=True).start()
    written = 0
    while not over.wait(0.1):
        peak = max(peak, bus.memory_info().rss)
        written += 1
        new_blog.write_comment(post, f"In between {written}")
    others = [name for name in SERVICES if name != "query"]
    eventually(lambda: all(new_blog.get("event-bus", f"/subscribers/{name}")["lag"] == 0 for name in others))
    assert written, "no comment was written during the burst"
    assert new_blog.get("event-bus", "/subscribers/query")["lag"] > BURST

    new_blog.start("query")
    eventually(lambda: new_blog.get("event-bus", "/subscribers/query")["lag"] == 0)

    peak = max(peak, bus.memory_info().rss)
    approved = {f"In between {number}": "approved" for number in range(1, written + 1)}
    eventually(lambda: new_blog.page() == {"Before the burst": approved})
    assert peak - before < 50 * MB
    print(f"\n{BURST:,} events in a burst: {written} comments meanwhile, {(peak - before) / MB:.0f} MB more memory.")


class NarrowBlog(Blog):
    """A bus that may have few open files."""

    def command(self, name: str) -> list[str]:
        """Return what starts this part."""
        return ["sh", "-c", 'ulimit -n 400; exec "$0" "$@"', *super().command(name)]


def test_a_bus_whose_connections_are_all_taken_rejects_more_and_serves_the_rest(tmp_path: Path) -> None:
    bus = NarrowBlog(tmp_path)
    publisher = HTTPConnection("127.0.0.1", bus.ports["event-bus"], timeout=PATIENCE)
    event = ("POST", "/events", b'{"type": "Happened"}', {"Content-Type": "application/json"})
    with closing(bus), closing(publisher):
        bus.start("event-bus")
        publisher.request(*event)
        assert msgspec.json.decode(publisher.getresponse().read())["seq"] == 1

        with ExitStack() as connections:
            answers: dict[int, list[HTTPResponse]] = {200: [], 503: []}
            while len(answers[503]) < 50:
                listener = connections.enter_context(connect(bus))
                listener.sendall(LISTEN % 0)
                answer = connections.enter_context(closing(HTTPResponse(listener)))
                answer.begin()
                answers[answer.status].append(answer)

            assert len(answers[200]) == 99
            for answer in answers[503]:
                assert answer.headers["Retry-After"] == "2"
                [error] = msgspec.json.decode(answer.read())["errors"]
                assert error["message"] == "Service Unavailable: All 100 connections are taken; try later."
            publisher.request(*event)
            assert msgspec.json.decode(publisher.getresponse().read())["seq"] == 2

        eventually(lambda: bus.send("event-bus", "/events", {"type": "Happened"}).json().get("seq") == 3)
        assert "Traceback" not in bus.log("event-bus")


def port_of(connection: socket.socket) -> int:
    return connection.getsockname()[1]


def served(bus: Blog) -> set[int]:
    """Return the ports of those to whom the bus holds a connection."""
    open_now = worker(bus).net_connections("tcp")
    return {one.raddr.port for one in open_now if one.raddr and one.status == psutil.CONN_ESTABLISHED}


def breaks_off(connection: socket.socket) -> bool:
    """Read to the end; say whether that is not the end of an answer in chunks (RFC 9112, section 7.1)."""
    last = b""
    with suppress(ConnectionResetError):
        while more := connection.recv(MB):
            last = (last + more)[-5:]
    return last != b"0\r\n\r\n"


def test_who_dawdles_is_sent_away(crowded: tuple[Blog, dict[str, list[socket.socket]]]) -> None:
    """The last one in this file, because it takes half a minute until patience ends."""
    bus, dawdlers = crowded
    for kind in ("says nothing", "begins a line", "begins a header"):
        assert {connection.recv(4096) for connection in dawdlers[kind]} == {b""}, kind
    for kind in ("begins a body", "begins a chunk"):
        answers = [connection.recv(4096) for connection in dawdlers[kind]]
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers), kind
    eventually(lambda: not served(bus) & {port_of(connection) for connection in dawdlers["never reads"]})
    assert all(breaks_off(connection) for connection in dawdlers["never reads"])
    assert bus.send("event-bus", "/events", {"type": "Happened"}).ok
    assert "Slow" not in {event["type"] for event in bus.events()}
    assert "Traceback" not in bus.log("event-bus")
