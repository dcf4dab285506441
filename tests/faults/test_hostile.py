"""Hostile input at each of the six parts: a correct answer or the one error shape, and nothing stored by halves."""

from __future__ import annotations

import gzip
import json
import os
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from harness.waiting import eventually
from infra.parts import PARTS, SERVICES
from tests.docs.test_reference import operations
from tests.support.fuzz import BOMB, Fuzzer
from tests.support.system import Blog
from tests.support.wire import Answer, assert_answered_well, in_chunks, request, send

SEED = int(os.environ.get("SEED", "8"))
FUZZ = int(os.environ.get("FUZZ", "250"))  # requests at each part
JSON = "application/json"
BATCH = "application/cloudevents-batch+json"
WRITES = {"posts": "/posts", "comments": "/posts/{post}/comments", "client": "/"}  # the others take events
GOOD = {"posts": {"title": "Smuggled"}, "comments": {"content": "Smuggled"}}


def everything(blog: Blog) -> tuple[Any, ...]:
    """Return the log, and each service's state as it is live."""
    return (blog.events(), *(blog.get(name, "/state") for name in SERVICES))


def settle(blog: Blog) -> None:
    """Wait until every service has applied the whole log, and has nothing more to say to it."""

    def quiet() -> bool:
        head = len(blog.events())
        at = [blog.get("event-bus", f"/subscribers/{name}") for name in SERVICES]
        return all(one["lag"] == 0 and one["state"] == "live" for one in at) and len(blog.events()) == head

    eventually(quiet)


@pytest.fixture
def post(blog: Blog) -> str:
    """A post that is there, and the blog at rest."""
    post = blog.write_post("Target")
    settle(blog)
    return post


# -- what is no HTTP, or two requests in one --------------------------------------------------------------------------

SMUGGLED = b'POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 19\r\n\r\n{"type":"Smuggled"}'
HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"

# Each with the answers that may be expected. `{path}` takes a body; the good body follows where there is none here.
SHAPES: dict[str, tuple[str, bytes | None, set[int]]] = {
    "both lengths": (HEAD + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n" + SMUGGLED, {400}),
    "two lengths": (HEAD + "Content-Length: 2\r\nContent-Length: 120\r\n\r\n", None, {400}),
    "a list of lengths": (HEAD + "Content-Length: 2, 2\r\n\r\n", None, {400}),
    "a negative length": (HEAD + "Content-Length: -1\r\n\r\n", None, {400}),
    "a length with a sign": (HEAD + "Content-Length: +22\r\n\r\n", None, {400}),
    "a length in hex": (HEAD + "Content-Length: 0x16\r\n\r\n", None, {400}),
    "a length in other digits": (HEAD + "Content-Length: \xb2\r\n\r\n", None, {400}),
    "an unknown coding": (HEAD + "Transfer-Encoding: xchunked\r\n\r\n", None, {400, 501}),
    "chunked twice": (HEAD + "Transfer-Encoding: chunked, chunked\r\n\r\n", b"0\r\n\r\n", {400}),
    "chunked, then something": (HEAD + "Transfer-Encoding: chunked, identity\r\n\r\n", b"0\r\n\r\n", {400, 501}),
    "a space before the colon": (HEAD + "Transfer-Encoding : chunked\r\n\r\n", b"0\r\n\r\n", {400}),
    "a vertical tab": (HEAD + "Transfer-Encoding: \x0bchunked\r\n\r\n", b"0\r\n\r\n", {400, 501}),
    "a folded header": (HEAD + "X-Folded: a\r\n b\r\n\r\n", None, {400}),
    "a bare line feed": (HEAD + "X-Bare: a\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n", {400}),
    "a NUL in a header": (HEAD + "X-Nul: a\x00b\r\n\r\n", None, {400}),
    "an underscore": (HEAD + "Content_Length: 4\r\n\r\n", None, {400, 405, 415, 422, 404}),
    "two hosts": (HEAD + "Host: evil.example\r\n\r\n", None, {400}),
    "no chunk's size": (HEAD + "Transfer-Encoding: chunked\r\n\r\n", b"ZZ\r\n{}\r\n0\r\n\r\n", {400, 405}),
    "a chunk's size with a sign": (HEAD + "Transfer-Encoding: chunked\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", {400, 405}),
    "a chunk without an end": (HEAD + "Transfer-Encoding: chunked\r\n\r\n", b"2\r\n{}XX0\r\n\r\n", {400, 405}),
    "an unknown expectation": (HEAD + "Expect: everything\r\n\r\n", None, {417}),
    "no method": ("{path} HTTP/1.1\r\n\r\n", b"", {400}),
    "no version": ("GET {path}\r\n\r\n", b"", {400}),
    "a version to come": ("GET {path} HTTP/9.9\r\n\r\n", b"", {400}),
    "a method in lower case": ("get {path} HTTP/1.1\r\n\r\n", b"", {400}),
    "a method with a NUL": ("GE\x00T {path} HTTP/1.1\r\n\r\n", b"", {400}),
    "a tunnel": ("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"", {403, 404}),
    "an echo": ("TRACE {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", {403, 405}),
    "a proxy's request": ("GET http://evil.example/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", {404}),
    "a long line": (f"GET /{'a' * 60_000} HTTP/1.1\r\n\r\n", b"", {414}),
    "a long header": (f"GET {{path}} HTTP/1.1\r\nX: {'a' * 60_000}\r\n\r\n", b"", {431}),
    "many headers": ("GET {path} HTTP/1.1\r\n" + "X-More: 1\r\n" * 200 + "\r\n", b"", {431}),
    "two slashes": ("GET //static//posts.py HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", {404}),
    "a way up": ("GET /static/../../posts.py HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", {404}),
    "an encoded way up": ("GET /static/%2e%2e/%2e%2e/posts.py HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", {404}),
    "a NUL in the path": ("GET /static/%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", {404}),
    "half an escape": ("GET /%e HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", {404}),
    "no UTF-8 in the path": ("GET /%ff%fe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"", {404}),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_is_no_http_or_two_requests_in_one_is_refused_in_the_one_shape(blog: Blog, post: str, name: str) -> None:
    before = everything(blog)
    path = WRITES.get(name, "/events").format(post=post)
    good = json.dumps(GOOD.get(name, {"type": "Smuggled"})).encode()

    for shape, (head, body, expected) in SHAPES.items():
        sent = head.replace("{path}", path).encode("latin-1") + (good if body is None else body)
        answer = send(blog.ports[name], sent)
        assert_answered_well(answer, sent)
        assert answer.status in expected, (shape, answer)

    assert everything(blog) == before
    assert "Traceback" not in blog.log(name)


# -- bodies that no client should send -------------------------------------------------------------------------------


def event(data: str) -> str:
    """Write an event with this JSON as its data."""
    return '{"type": "PostCreated", "data": ' + data + "}"


DEEP = "[" * 50_000
BODIES: dict[str, tuple[bytes, str]] = {
    "a zip bomb": (BOMB, JSON),
    "something zipped": (gzip.compress(b'{"title": "x", "content": "x", "type": "x"}'), JSON),
    "deep JSON": (f'{{"title": {DEEP}'.encode(), JSON),
    "deep data": (event("[" * 101 + "]" * 101).encode(), JSON),
    "deep objects": (event('{"a":' * 20_000 + "1" + "}" * 20_000).encode(), JSON),
    "a float without end": (event("1e400").encode(), JSON),
    "a number without end": (event("1" + "0" * 5000).encode(), JSON),
    "no number": (event("NaN").encode(), JSON),
    "half a surrogate": (event('{"id": "1", "title": "\\ud800"}').encode(), JSON),
    "half a surrogate in UTF-8": (
        b'{"title": "\xed\xa0\x80", "content": "\xed\xa0\x80", "type": "\xed\xa0\x80"}',
        JSON,
    ),
    "a bare control character": (b'{"title": "\x00", "content": "\x00", "type": "\x00"}', JSON),
    "UTF-16": ('{"title": "x", "content": "x", "type": "x"}'.encode("utf-16"), JSON),
    "no text": (b'{"title": 7, "content": ["x"], "type": {"x": 1}}', JSON),
    "nothing": (b"", JSON),
    "spaces": (b" " * 1000, JSON),
    "a list of lists": (b"[[[]]]", JSON),
    "a form": (b"title=x&content=x&type=x", "application/x-www-form-urlencoded"),
    "a page": (b"<title>x</title>", "text/html"),
    "no type of ours": (b'{"title": "x", "content": "x", "type": "x"}', "text/plain"),
    "a type that is none": (b'{"title": "x", "content": "x", "type": "x"}', "///"),
    "parts": (
        b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nx\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    "nine megabytes": (b'{"title": "x", "content": "x", "type": "x", "data": "' + b"x" * 9_000_000 + b'"}', JSON),
}


@pytest.mark.parametrize("chunk", [0, 50_000])
@pytest.mark.parametrize("name", PARTS)
def test_a_hostile_body_is_rejected_and_leaves_no_trace(blog: Blog, post: str, name: str, chunk: int) -> None:
    before = everything(blog)
    path = WRITES.get(name, "/events").format(post=post)

    for kind, (body, media_type) in BODIES.items():
        sent = request("POST", path, body, chunk, Content_Type=media_type)
        answer = send(blog.ports[name], sent)
        assert_answered_well(answer, sent)
        assert answer.status in {400, 405, 413, 415, 422}, (kind, answer)

    assert everything(blog) == before
    assert "Traceback" not in blog.log(name)


@pytest.mark.parametrize("name", ["posts", "comments", "query", "event-bus"])
def test_a_body_without_end_is_given_up(blog: Blog, post: str, name: str) -> None:
    before = everything(blog)
    path = WRITES.get(name, "/events").format(post=post)
    piece = in_chunks(b" " * 60_000, 60_000)

    with socket.create_connection(("127.0.0.1", blog.ports[name]), 20) as connection:

        def pour() -> None:
            with suppress(OSError):  # the other end has closed the connection
                while True:
                    connection.sendall(piece)

        connection.sendall(HEAD.replace("{path}", path).encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        pouring = threading.Thread(target=pour)
        pouring.start()
        told = connection.recv(4096)
        connection.shutdown(socket.SHUT_RDWR)
        pouring.join()

    assert told.startswith(b"HTTP/1.1 413 ")
    assert everything(blog) == before


@pytest.mark.parametrize(
    "bad", [{"data": 1}, {"type": ""}, {"type": "T", "time": "now"}, {"type": "T", "data": None, "X": 1}]
)
@pytest.mark.parametrize("place", [0, 499, 999])
def test_of_a_batch_with_one_bad_event_nothing_is_stored(
    blog: Blog, post: str, bad: dict[str, Any], place: int
) -> None:
    before = everything(blog)
    events: list[dict[str, Any]] = [
        {"type": "PostCreated", "data": {"id": f"{n}", "title": "Half"}} for n in range(1000)
    ]
    events[place] = bad

    sent = request("POST", "/events", json.dumps(events).encode(), Content_Type=BATCH)
    answer = send(blog.ports["event-bus"], sent)

    assert_answered_well(answer, sent)
    assert answer.json["errors"][0]["message"].startswith(f"Event {place + 1} of 1000: ")
    assert everything(blog) == before


def test_a_delivery_may_name_thousands_of_events_that_are_parked(blog: Blog, post: str) -> None:
    parked = ",".join(str(seq) for seq in range(1_000_000, 1_004_000))
    events = json.dumps([{"type": "PostCreated", "data": "poison", "seq": 1_000_000}]).encode()

    answer = send(blog.ports["query"], request("POST", "/events", events, Content_Type=BATCH, Minibus_Skip=parked))

    assert answer.status == 409  # so it was read: this event comes too early
    settle(blog)


# -- text from people -------------------------------------------------------------------------------------------------

TEXTS = {
    "a script": "<script>document.title='owned'</script>",
    "an image": "<img src=x onerror=\"document.title='owned'\">",
    "a link": "<a href=\"javascript:document.title='owned'\">x</a>",
    "the end of a script": "</script><script>document.title='owned'</script>",
    "a template": "{{7*7}}${7*7}<%= 7*7 %>",
    "right to left": "\u202eevil\u202c \u2066isolated\u2069 \u200f",
    "an open override": "\u202eturned",
    "a NUL": "before\x00after",
    "a terminal's commands": "\x1b[2J\x1b]0;owned\x07",
    "the end of a stream's message": "x\n\nevent: posts\ndata: []\n\n",
    "many marks": "Z\u0351\u036b\u0343\u036a" * 30,
    "what JSON may hold": '\\ " / \u2028 \u2029 \uffff \U0010ffff',
    "a key of JavaScript's": "__proto__",
}


def test_what_people_write_is_stored_and_shown_as_they_wrote_it(blog: Blog) -> None:
    for title in TEXTS.values():
        post = blog.write_post(title)
        blog.write_comment(post, title)
    settle(blog)

    told = {text.strip(): {text.strip(): "approved"} for text in TEXTS.values()}
    eventually(lambda: {title: comments for title, comments in blog.page().items() if title in told} == told)
    stored = [event["data"].get("title") for event in blog.events()]
    assert [stored.count(title) for title in told] == [1] * len(TEXTS)


def test_in_a_browser_it_is_text_and_the_policy_lets_no_script_in(browser: Browser, blog: Blog, site: str) -> None:
    posts = {blog.write_post(title): title for title in TEXTS.values()}
    for post, title in posts.items():
        blog.write_comment(post, title)
    settle(blog)
    with browser.new_context() as context:
        for where, shows in ((site, "article.post h3"), (blog.url("event-bus"), "#log li, #log button")):
            page = context.new_page()
            page.goto(where)
            expect(page.locator(shows).first).to_be_visible()
            expect(page.locator("body")).to_contain_text("document.title='owned'")
            # A script that gets into the page in spite of this meets the policy.
            blocked = page.evaluate(
                """() => new Promise(resolve => {
                    addEventListener("securitypolicyviolation", event => resolve(event.effectiveDirective));
                    const script = document.createElement("script");
                    script.textContent = "document.title = 'owned'";
                    document.body.append(script);
                })"""
            )
            assert blocked.startswith("script-src")
            assert "owned" not in page.title()
            assert page.locator("img[src=x], a[href^=javascript]").count() == 0


# -- at random, the same for the same seed ----------------------------------------------------------------------------

OWN = {"/posts", "/comments", "/moderation"}  # who publishes by itself, once it has been asked to


@pytest.mark.parametrize("name", PARTS)
def test_random_requests_are_answered_and_nothing_is_stored_by_halves(blog: Blog, post: str, name: str) -> None:
    names = {"{post_id}": [post, "1f2e3d4c"], "{seq}": ["1", "0", "99999"], "{name}": ["fuzz-1", "fuzz-2", "fuzz.3"]}
    streams = {"GET /deliveries", "GET /whiteboard", "GET /posts/stream"}
    fuzzer = Fuzzer(SEED, [one.label for one in operations(name) if one.label not in streams], names)
    begin = len(blog.events())
    accepted: list[Answer] = []

    for number in range(FUZZ):
        sent = fuzzer.draw()
        try:
            answer = send(blog.ports[name], sent)
            assert_answered_well(answer, sent)
        except Exception as error:
            raise AssertionError(f"SEED={SEED}, request {number} at {name}: {sent[:2000]!r}") from error
        if answer.status in (200, 201) and sent.startswith(b"POST "):
            accepted.append(answer)

    assert "Traceback" not in blog.log(name)
    if name in SERVICES:  # who is asked directly believes it, until the next replay
        assert blog.send(name, "/events", None, "DELETE").ok
    eventually(lambda: all(blog.get(service, "/state")["at"] == len(blog.events()) for service in SERVICES))
    settle(blog)
    log = blog.events()
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    assert len({(event["source"], event["id"]) for event in log}) == len(log)
    by_itself = [event for event in log[begin:] if event["source"] in OWN]
    if name == "event-bus":
        promised = {place["seq"] for answer in accepted for place in answer.json.get("events", [answer.json])}
        assert {event["seq"] for event in log[begin:] if event not in by_itself} == {
            seq for seq in promised if seq > begin and log[seq - 1] not in by_itself
        }
    if name == "posts":
        assert [event["data"] for event in by_itself] == [answer.json for answer in accepted if answer.status == 201]
    for service in SERVICES:
        looked_back = blog.get("event-bus", f"/subscribers/{service}/state?at={len(log)}")["state"]
        assert blog.get(service, "/state")["state"] == looked_back
