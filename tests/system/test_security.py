"""Who may do what: pages of other origins, foreign hosts, and a bus with a token."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import requests

from harness.waiting import PATIENCE, eventually
from infra.parts import SERVICES
from tests.support.system import Blog

CHANGES = [
    ("POST", "/events", {"type": "Forged"}),
    ("PUT", "/subscribers/forged", {"url": "http://127.0.0.1:1"}),
    ("PATCH", "/subscribers/query", {"paused": True}),
    ("POST", "/subscribers/query/step", {}),
    ("POST", "/subscribers/query/rewind", {}),
    ("DELETE", "/subscribers/query", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "null"},
        {"Host": "evil.example"},
    ],
)
def test_a_page_of_another_origin_can_change_nothing(
    blog: Blog, method: str, path: str, body: object, header: dict[str, str]
) -> None:
    log, subscribers = blog.events(), set(blog.get("event-bus", "/subscribers"))

    answer = requests.request(method, blog.url("event-bus") + path, json=body, headers=header, timeout=PATIENCE)

    assert answer.status_code == 403
    assert "errors" in answer.json()
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert (blog.events(), set(blog.get("event-bus", "/subscribers"))) == (log, subscribers)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a second loopback address from the start")
def test_a_part_listens_where_bind_names_and_nowhere_else(new_blog: Blog) -> None:
    new_blog.settings = {"BIND": "127.0.0.2"}
    new_blog.spawn("client")
    elsewhere = f"http://127.0.0.2:{new_blog.ports['client']}"

    assert eventually(lambda: requests.get(f"{elsewhere}/healthz", timeout=PATIENCE).ok)
    with pytest.raises(requests.ConnectionError):
        new_blog.answers("client", "/healthz")


@pytest.mark.parametrize("host", ["evil.example", "169.254.169.254", "10.0.0.1", "127.0.0.1.evil.example", "[::]"])
def test_a_registration_of_a_foreign_host_is_refused(blog: Blog, host: str) -> None:
    answer = blog.send("event-bus", "/subscribers/foreign", {"url": f"http://{host}:80"}, "PUT")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "url"


@pytest.mark.parametrize(
    "url", ["http://evil.example\\@127.0.0.1", "http://127.0.0.1@evil.example", "http://[", "http://127.0.0.1:99999"]
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(blog: Blog, url: str) -> None:
    answer = blog.send("event-bus", "/subscribers/foreign", {"url": url}, "PUT")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "url"


def test_hosts_in_the_settings_of_the_bus_may_register(new_blog: Blog) -> None:
    new_blog.settings = {"SUBSCRIBER_HOSTS": "posts, .svc.cluster.local, 10.0.0.0/8"}
    new_blog.start("event-bus")
    for host, status in {
        "posts": 200,
        "a.svc.cluster.local": 200,
        "10.1.2.3": 200,
        "11.1.2.3": 422,
        "svc": 422,
    }.items():
        answer = new_blog.send("event-bus", "/subscribers/one", {"url": f"http://{host}:4000"}, "PUT")
        assert answer.status_code == status, host


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    """A blog whose bus has a token."""
    blog = Blog(tmp_path_factory.mktemp("locked"), BUS_TOKEN="s3cret")
    try:
        yield blog.start().ready()
    finally:
        blog.close()


def test_with_a_token_the_six_parts_work_as_ever(locked: Blog) -> None:
    post = locked.write_post("Behind a token")
    locked.write_comment(post, "hello")

    eventually(lambda: locked.page() == {"Behind a token": {"hello": "approved"}})
    assert "Behind a token" in requests.get(locked.url("client"), timeout=PATIENCE).text


@pytest.mark.parametrize("shown", [None, "Bearer wrong", "Bearer ", "Basic s3cret", "s3cret", "Bearer s3cret\u00e9"])
def test_without_the_token_nothing_is_changed_or_shown(locked: Blog, shown: str | None) -> None:
    headers = {"Authorization": shown.encode()} if shown is not None else {}
    reads = ["/events", "/events/1", "/subscribers", "/subscribers/query", "/deliveries", "/whiteboard"]
    reads += [f"/subscribers/query/{what}" for what in ("state", "changes", "moment", "handlers")]
    reads += ["/whiteboard/ticks"]
    asked = [(method, locked.url("event-bus") + path, body) for method, path, body in CHANGES]
    asked += [("GET", locked.url("event-bus") + path, None) for path in [*reads, "/metrics"]]
    for name in SERVICES:
        asked += [
            ("POST", f"{locked.url(name)}/events", {"type": "Forged"}),
            ("DELETE", f"{locked.url(name)}/events", None),
        ]
        asked += [("GET", locked.url(name) + path, None) for path in ("/state", "/changes", "/moment", "/handlers")]

    for method, url, body in asked:
        answer = requests.request(method, url, json=body, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 401, (method, url)
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    assert all(locked.answers("event-bus", path) for path in ("/healthz", "/", "/static/main.js", "/static/theme.css"))
    assert all(locked.answers(name, "/readyz") for name in SERVICES)


def test_with_the_token_the_controls_work(locked: Blog) -> None:
    headers = {"Authorization": "Bearer s3cret"}
    answer = requests.post(
        f"{locked.url('event-bus')}/subscribers/query/rewind", json={"to": 0}, headers=headers, timeout=PATIENCE
    )

    assert answer.status_code == 200
    url = f"{locked.url('event-bus')}/subscribers/query/state"
    eventually(lambda: requests.get(url, headers=headers, timeout=PATIENCE).json()["at"] > 0)
