"""posts, as a fold, and as an app with a fake bus at the edge."""

from typing import Any

import msgspec
import pytest
import responses
from posts import add_post, app, service

PUBLISH = "http://127.0.0.1:4005/events"


def test_a_post_is_added_once() -> None:
    posts: dict[str, Any] = {}

    add_post(posts, {"id": "1", "title": "Hello"})
    add_post(posts, {"id": "1", "title": "Hello again"})

    assert posts == {"1": {"id": "1", "title": "Hello"}}


@responses.activate
def test_a_new_post_is_published_as_in_the_course(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minibus.service.READ_YOUR_WRITES", 0)
    published = responses.post(PUBLISH, json={"status": "OK", "seq": 1})

    answer = app.test_client().post("/posts/create", json={"title": "  Hello  "})

    assert answer.status_code == 201
    body = published.calls[0].request.body
    assert isinstance(body, bytes)
    event = msgspec.json.decode(body)
    assert (event["type"], event["source"]) == ("PostCreated", "/posts")
    assert event["data"] == answer.json
    assert event["data"]["title"] == "Hello"


@responses.activate
def test_without_the_bus_a_new_post_is_a_503_and_stored_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minibus.service.RETRY_WRITES", 0)

    answer = app.test_client().post("/posts", json={"title": "Hello"})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert service.state == {}
