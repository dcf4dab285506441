"""The log and the deliveries as streams, on a real bus: resumed without loss, cheap for who only listens."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from harness.waiting import PATIENCE, eventually
from tests.support.system import Blog

BATCH = {"Content-Type": "application/cloudevents-batch+json"}
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    """A bus alone."""
    blog = Blog(tmp_path_factory.mktemp("bus"))
    try:
        yield blog.start("event-bus")
    finally:
        blog.close()


def publish(bus: Blog, count: int, type: str = "Happened", text: str = "") -> None:
    """Publish events in batches."""
    for begin in range(0, count, 1000):
        events = [{"type": type, "data": {"n": begin + n, "text": text}} for n in range(min(1000, count - begin))]
        answer = requests.post(
            f"{bus.url('event-bus')}/events", data=json.dumps(events), headers=BATCH, timeout=PATIENCE
        )
        assert answer.ok, answer.text


def head(bus: Blog) -> int:
    return len(bus.events())


class Reader:
    """Reads Server-Sent Events until it is closed."""

    def __init__(self, url: str, last: str | bytes | None = None) -> None:
        headers = STREAM | ({"Last-Event-ID": last} if last is not None else {})
        self.response = requests.get(url, headers=headers, stream=True, timeout=PATIENCE)
        self.lines = self.response.iter_lines()

    def take(self, count: int) -> list[dict[str, str]]:
        """Read that many messages that say something."""
        messages: list[dict[str, str]] = []
        message: dict[str, str] = {}
        while len(messages) < count:
            line = next(self.lines).decode()
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                message[name] = value
            elif "data" in message:
                messages.append(message)
                message = {}
        return messages

    def close(self) -> None:
        self.response.close()


def test_the_log_can_be_followed_and_resumed_without_loss_or_repetition(bus: Blog) -> None:
    publish(bus, 2500)
    url = f"{bus.url('event-bus')}/events"
    first = Reader(url)
    seen = first.take(1200)
    first.close()

    second = Reader(url, last=seen[-1]["id"])
    publish(bus, 10)
    seen += second.take(head(bus) - len(seen))
    second.close()

    assert [json.loads(message["data"])["seq"] for message in seen] == list(range(1, head(bus) + 1))


@pytest.mark.parametrize("last", ["another:1", "{log}:" + "0" * 5000, "{log}:" + "0" * 18 + "99999999", "{log}:²", ""])
def test_of_another_log_a_listener_starts_over(bus: Blog, last: str) -> None:
    publish(bus, 1)
    log = bus.send("event-bus", "/subscribers/curious", {"url": "http://127.0.0.1:1"}, "PUT").json()["log"]
    reader = Reader(f"{bus.url('event-bus')}/events", last=last.format(log=log).encode())

    reset, first = reader.take(2)
    reader.close()

    assert reset["event"] == "reset"
    assert json.loads(first["data"])["seq"] == 1


def test_a_listener_may_choose_a_type_and_a_place(bus: Blog) -> None:
    begin = head(bus)
    publish(bus, 3, "Chosen")
    publish(bus, 3)
    publish(bus, 1, "Chosen")

    reader = Reader(f"{bus.url('event-bus')}/events?type=Chosen&after={begin + 1}")
    seqs = [json.loads(message["data"])["seq"] for message in reader.take(3)]
    reader.close()

    assert seqs == [begin + 2, begin + 3, begin + 7]


def test_the_log_comes_one_event_a_line(bus: Blog) -> None:
    publish(bus, 3)

    answer = requests.get(
        f"{bus.url('event-bus')}/events", headers={"Accept": "application/x-ndjson"}, stream=True, timeout=PATIENCE
    )

    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line)["seq"] for line in answer.iter_lines()] == list(range(1, head(bus) + 1))


def test_every_stream_of_deliveries_begins_with_its_history(blog: Blog) -> None:
    blog.write_post("Delivered")
    eventually(lambda: "Delivered" in blog.page())
    blog.stop("moderation")
    blog.write_post("Not delivered to all")
    reader = Reader(f"{blog.url('event-bus')}/deliveries")

    deliveries: list[dict[str, Any]] = []
    while not deliveries or deliveries[-1]["result"] != "failed":
        deliveries += [json.loads(message["data"]) for message in reader.take(1)]
    reader.close()
    blog.start("moderation").ready()

    assert {d["subscriber"] for d in deliveries if d["result"] == "delivered"} >= {"posts", "query"}
    assert deliveries[-1]["subscriber"] == "moderation"
    assert deliveries[-1]["error"] == "no answer at this address"
    assert [d["number"] for d in deliveries] == list(range(1, len(deliveries) + 1))


class Trouble:
    """A subscriber of the worst kind: it hangs, trickles or talks nonsense without end."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.visits = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.over = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.visits += 1
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                if self.kind == "hangs":
                    self.over.wait(60)
                elif self.kind == "trickles":
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                    while not self.over.wait(0.2):
                        connection.sendall(b" ")
                else:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"\x00\xff nonsense " * 100_000)
            except OSError:
                pass

    def close(self) -> None:
        self.over.set()
        self.server.close()


def test_subscribers_that_misbehave_slow_no_other_and_cost_no_memory(new_blog: Blog) -> None:
    new_blog.start().ready()
    troubles = [Trouble(kind) for kind in ("hangs", "trickles", "nonsense")]
    try:
        for trouble in troubles:
            word = {"url": trouble.url, "log": None, "after": 0}
            assert new_blog.send("event-bus", f"/subscribers/{trouble.kind}", word, "PUT").ok
        [worker] = psutil.Process(new_blog.processes["event-bus"].pid).children()
        before = worker.memory_info().rss
        publish(new_blog, 1, "First")
        eventually(lambda: all(trouble.visits for trouble in troubles))

        publish(new_blog, 50_000, text="x" * 100)
        subscribers = ("posts", "comments", "query", "moderation")
        eventually(lambda: all(new_blog.get("event-bus", f"/subscribers/{s}")["lag"] == 0 for s in subscribers))

        assert worker.memory_info().rss - before < 50 * 1024 * 1024
        post = new_blog.write_post("In between")
        new_blog.write_comment(post, "as quick as ever")
        eventually(lambda: new_blog.page() == {"In between": {"as quick as ever": "approved"}})
    finally:
        for trouble in troubles:
            trouble.close()


def test_two_queries_each_have_a_replay_of_their_own_and_a_vanished_one_goes(blog: Blog, tmp_path: Path) -> None:
    second = Blog(tmp_path, SUBSCRIBER_NAME="query-2", EPHEMERAL="3")
    second.bus_seen_by["query"] = blog.url("event-bus")
    try:
        second.start("query")
        eventually(lambda: second.answers("query", "/readyz"))
        blog.write_post("Seen by both")
        eventually(lambda: "Seen by both" in blog.page() and "Seen by both" in second.page())
        assert second.get("query", "/state")["state"] == blog.get("query", "/state")["state"]
        assert {"query", "query-2"} <= set(blog.get("event-bus", "/subscribers"))

        second.kill("query")

        eventually(lambda: "query-2" not in blog.get("event-bus", "/subscribers"))
        assert "query" in blog.get("event-bus", "/subscribers")
    finally:
        second.close()
