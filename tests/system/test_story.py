"""The blog's story on real processes: what a reader, a writer and a course client see."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests

from harness.ports import free_port
from harness.waiting import PATIENCE, eventually
from infra.parts import SERVICES
from tests.support.system import Blog


def statuses(blog: Blog, title: str) -> set[str]:
    return set(blog.page().get(title, {}).values())


def test_two_comments_are_judged(blog: Blog) -> None:
    post = blog.write_post("Fruit")

    blog.write_comment(post, "An apple a day")
    blog.write_comment(post, "Orange, please")

    verdicts = {"An apple a day": "approved", "Orange, please": "rejected"}
    eventually(lambda: blog.page()["Fruit"] == verdicts)


def test_a_writer_reads_what_was_written_at_once(blog: Blog) -> None:
    post = blog.write_post("Read your writes")

    assert post in blog.get("posts", "/posts")
    blog.write_comment(post, "mine")
    assert [c["content"] for c in blog.get("comments", f"/posts/{post}/comments")] == ["mine"]


def test_a_post_can_be_commented_on_the_moment_it_is_written(blog: Blog) -> None:
    for number in range(10):
        post = blog.write_post(f"Quick {number}")
        blog.write_comment(post, "first!")


def test_the_new_comment_is_answered_as_pending_among_all_of_the_post(blog: Blog) -> None:
    post = blog.write_post("Pending")
    blog.write_comment(post, "one")
    eventually(lambda: statuses(blog, "Pending") == {"approved"})

    answer = blog.send("comments", f"/posts/{post}/comments", {"content": " two "})

    assert answer.status_code == 201
    assert [(c["content"], c["status"]) for c in answer.json()] == [("one", "approved"), ("two", "pending")]
    assert all(set(comment) == {"id", "content", "status"} for comment in answer.json())


def test_both_of_the_courses_routes_create_a_post(blog: Blog) -> None:
    for path in ("/posts", "/posts/create"):
        answer = blog.send("posts", path, {"title": f"By {path}"})

        assert answer.status_code == 201
        assert set(answer.json()) == {"id", "title"}
        assert len(answer.json()["id"]) == 8


def test_a_page_of_another_origin_may_read_and_write_as_in_the_course(blog: Blog) -> None:
    for name, path in (("posts", "/posts"), ("query", "/posts"), ("comments", "/posts/1/comments")):
        answer = requests.get(blog.url(name) + path, headers={"Origin": "http://127.0.0.1:3000"}, timeout=PATIENCE)
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", "http://127.0.0.1:3000")


def test_a_bare_event_is_taken_and_shown_as_the_course_does(blog: Blog) -> None:
    answer = blog.send("event-bus", "/events", {"type": "PostCreated", "data": {"id": "0badf00d", "title": "Bare"}})

    assert answer.status_code == 200
    assert answer.json()["status"] == "OK"
    assert all({"type", "data"} <= set(event) for event in blog.events())
    assert blog.events()[-1]["data"] == {"id": "0badf00d", "title": "Bare"}
    eventually(lambda: "Bare" in blog.page())


def test_a_service_applies_an_event_from_a_bus_without_numbers(blog: Blog) -> None:
    event = {"type": "PostCreated", "data": {"id": "c0ffee00", "title": "From nowhere"}}

    answer = blog.send("posts", "/events", event)

    assert (answer.status_code, answer.json()) == (200, {})
    assert blog.get("posts", "/posts")["c0ffee00"] == event["data"]


def test_looking_back_equals_a_query_that_was_fed_only_so_far(blog: Blog, tmp_path: Path) -> None:
    post = blog.write_post("Looked back at")
    blog.write_comment(post, "then")
    blog.write_comment(post, "an orange then")
    eventually(lambda: statuses(blog, "Looked back at") == {"approved", "rejected"})
    log = blog.events()
    fresh = Blog(tmp_path)
    fresh.bus_seen_by["query"] = f"http://127.0.0.1:{free_port()}"
    try:
        fresh.start("query")
        for at in range(len(log) + 1):
            requests.delete(fresh.url("query") + "/events", timeout=PATIENCE)
            fed = fresh.send("query", "/events", log[:at])
            assert fed.json() == {"position": at}

            past = blog.get("event-bus", f"/subscribers/query/state?at={at}")

            assert past["at"] == at
            assert past["state"] == fresh.get("query", "/state")["state"]
    finally:
        fresh.close()


def test_looking_back_can_leave_events_out(blog: Blog) -> None:
    post = blog.write_post("Left out")
    seq = next(event["seq"] for event in blog.events() if event["data"].get("id") == post)

    with_it = blog.get("event-bus", f"/subscribers/query/state?at={seq}")["state"]
    without = blog.get("event-bus", f"/subscribers/query/state?at={seq}&skip={seq}")["state"]

    assert with_it.keys() - without.keys() == {post}
    assert blog.send("event-bus", "/subscribers/query/state?at=999999", None, "GET").status_code == 422


def test_a_service_shows_its_handlers_with_their_source(blog: Blog) -> None:
    handler = blog.get("moderation", "/handlers")["CommentCreated"]

    assert (handler["name"], handler["file"]) == ("judge", "moderation.py")
    assert 'return Event("CommentModerated"' in handler["source"]


def test_every_reaction_is_there_once_after_each_service_was_restarted_twice(new_blog: Blog) -> None:
    new_blog.start().ready()
    for number in range(3):
        post = new_blog.write_post(f"Post {number}")
        for content in ("plain", "orange"):
            new_blog.write_comment(post, content)
    eventually(lambda: all(set(c.values()) == {"approved", "rejected"} for c in new_blog.page().values()))
    story = new_blog.events()
    page = new_blog.page()

    for _ in range(2):
        for name in SERVICES:
            new_blog.stop(name)
        new_blog.start(*SERVICES).ready()
    new_blog.write_post("The end")

    log = new_blog.events()
    assert log[: len(story)] == story
    assert [event["type"] for event in log[len(story) :]] == ["PostCreated"]
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    counts = {"PostCreated": 4, "CommentCreated": 6, "CommentModerated": 6, "CommentUpdated": 6}
    assert Counter(event["type"] for event in log) == counts
    eventually(lambda: new_blog.page() == {**page, "The end": {}})


BAD_TITLES = [
    ({}, "title is missing."),
    ({"title": None}, "title is missing."),
    ({"title": "   "}, "title must not be blank."),
    ({"title": 7}, "title must be text."),
    ({"title": ["a"]}, "title must be text."),
    ({"title": "x" * 201}, "title has 201 characters; 200 are allowed."),
]


@pytest.mark.parametrize(("body", "message"), BAD_TITLES)
def test_a_bad_title_is_refused_by_name(blog: Blog, body: Any, message: str) -> None:
    before = len(blog.events())

    answer = blog.send("posts", "/posts/create", body)

    assert answer.status_code == 422
    assert answer.json() == {"errors": [{"message": message, "field": "title"}]}
    assert len(blog.events()) == before


def test_bad_content_is_refused_by_name(blog: Blog) -> None:
    post = blog.write_post("Bad content")
    for content in (None, "", 7, "x" * 2001):
        answer = blog.send("comments", f"/posts/{post}/comments", {"content": content})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "content"


def test_a_comment_on_an_unknown_post_is_refused(blog: Blog) -> None:
    answer = blog.send("comments", "/posts/nothere/comments", {"content": "hello"})

    assert answer.status_code == 404
    assert answer.json() == {"errors": [{"message": "There is no post nothere."}]}


BAD_REQUESTS = [
    ("POST", "/posts/create", b"{", "application/json", 400),
    ("POST", "/posts/create", b'{"title": "\xff"}', "application/json", 400),
    ("POST", "/posts/create", b"[" * 5000, "application/json", 400),
    ("POST", "/posts/create", b'["title"]', "application/json", 422),
    ("POST", "/posts/create", b"title=x", "application/x-www-form-urlencoded", 415),
    ("POST", "/posts/create", b'{"title": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    ("GET", "/nothing/here", None, None, 404),
    ("DELETE", "/posts", None, None, 405),
]


@pytest.mark.parametrize(("method", "path", "body", "media_type", "status"), BAD_REQUESTS)
def test_what_is_no_request_gets_the_one_error_shape(
    blog: Blog, method: str, path: str, body: bytes, media_type: str, status: int
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}

    answer = requests.request(method, blog.url("posts") + path, data=body, headers=headers, timeout=PATIENCE)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("name", [*SERVICES, "event-bus", "client"])
def test_every_part_answers_an_unknown_route_in_the_one_shape(blog: Blog, name: str) -> None:
    answer = requests.get(blog.url(name) + "/no/such/route", timeout=PATIENCE)

    assert answer.status_code == 404
    assert answer.json() == {"errors": [{"message": "There is nothing at this address."}]}
