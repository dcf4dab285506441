"""The page as Flask renders it, with query faked at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from client import app
from flask.testing import FlaskClient

QUERY = "http://127.0.0.1:4002/posts"

Browser = FlaskClient
Query = responses.RequestsMock


@pytest.fixture
def browser() -> FlaskClient:
    return app.test_client()


@pytest.fixture
def query() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as fake:
        yield fake


def knows(query: Query, *posts: dict[str, object]) -> None:
    query.get(QUERY, json={str(post["id"]): post for post in posts})


def post(title: str, *comments: dict[str, str], id: str = "0000000a") -> dict[str, object]:
    return {"id": id, "title": title, "comments": list(comments)}


def comment(content: str, status: str) -> dict[str, str]:
    return {"id": f"c-{status}", "content": content, "status": status}


def test_the_newest_post_comes_first(browser: Browser, query: Query) -> None:
    knows(query, post("Older", id="ffffffff"), post("Newer", id="00000000"))
    page = browser.get("/").text
    assert page.index("Newer") < page.index("Older")


def test_a_script_in_a_title_is_only_text(browser: Browser, query: Query) -> None:
    knows(query, post("<script>alert(1)</script>"))
    page = browser.get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_approved_comment_shows_its_text(browser: Browser, query: Query) -> None:
    knows(query, post("Fruit", comment("I like <b>pears</b>", "approved")))
    assert 'data-status="approved">I like &lt;b&gt;pears&lt;/b&gt;</li>' in browser.get("/").text


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        ("pending", "This comment is awaiting moderation"),
        ("rejected", "This comment has been rejected"),
        ("of a kind we do not know", "This comment is awaiting moderation"),
    ],
)
def test_a_comment_that_is_not_approved_keeps_its_text_to_itself(
    browser: Browser, query: Query, status: str, phrase: str
) -> None:
    knows(query, post("Fruit", comment("orange", status)))
    page = browser.get("/").text
    assert f'data-status="{status}">{phrase}</li>' in page
    assert "orange" not in page


@pytest.mark.parametrize(("how_many", "line"), [(0, "No comments"), (1, "1 comment"), (2, "2 comments")])
def test_a_post_says_how_many_comments_it_has(browser: Browser, query: Query, how_many: int, line: str) -> None:
    knows(query, post("Fruit", *[comment("pear", "approved")] * how_many))
    assert f'<p class="count">{line}</p>' in browser.get("/").text


def test_a_blog_without_posts_invites_to_write_one(browser: Browser, query: Query) -> None:
    knows(query)
    page = browser.get("/").text
    assert '<p id="empty">' in page
    assert "Query is away" not in page


@pytest.mark.parametrize(
    "trouble",
    [
        {"body": requests.ConnectionError()},
        {"body": requests.ReadTimeout()},
        {"status": 503, "json": {"errors": [{"message": "not now"}]}},
        {"body": "<p>another program</p>"},
    ],
)
def test_without_query_the_page_comes_all_the_same_and_says_so(browser: Browser, query: Query, trouble: Any) -> None:
    query.get(QUERY, **trouble)
    answer = browser.get("/")
    assert answer.status_code == 200
    assert "Query is away: the page shows the posts that it has." in answer.text
    assert '<p id="empty" hidden>' in answer.text
    assert "Create Post" in answer.text


def test_on_port_3000_the_page_may_call_the_services_on_their_own_ports(browser: Browser, query: Query) -> None:
    knows(query)
    headers = browser.get("/", base_url="http://127.0.0.1:3000").headers
    allowed = "connect-src 'self' http://127.0.0.1:4000 http://127.0.0.1:4001 http://127.0.0.1:4002;"
    assert allowed in headers["Content-Security-Policy"]


@pytest.mark.parametrize("origin", ["http://posts.com", "http://127.0.0.1:8080", "http://x 'unsafe-inline':3000"])
def test_anywhere_else_it_may_call_its_own_origin_only(browser: Browser, query: Query, origin: str) -> None:
    knows(query)
    policy = browser.get("/", base_url=origin).headers["Content-Security-Policy"]
    assert "connect-src 'self';" in policy
    assert "unsafe" not in policy


def test_nothing_is_allowed_that_the_page_does_not_need(browser: Browser, query: Query) -> None:
    knows(query)
    headers = browser.get("/").headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_the_theme_comes_before_the_rules_of_the_page(browser: Browser, query: Query) -> None:
    knows(query)
    page = browser.get("/").text
    assert page.index("/static/theme.css") < page.index("/static/page.css")
    with browser.get("/static/theme.css") as theme:
        assert theme.mimetype == "text/css"
        assert b"--ground: light-dark(" in theme.data


def test_an_unknown_address_answers_in_the_shape_of_every_error(browser: Browser) -> None:
    answer = browser.get("/nowhere")
    assert answer.status_code == 404
    assert answer.json == {"errors": [{"message": "There is nothing at this address."}]}
