"""The reference is true: every route, setting, metric and event, and every answer of a running part."""

from __future__ import annotations

import functools
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from event_bus.app import create_bus
from event_bus.http.guard import Guard
from event_bus.log.store.memory import MemoryStore
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema_rs import Draft202012Validator
from schemathesis.core.result import Err, Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from harness.waiting import PATIENCE, eventually
from infra.parts import PARTS, ROOT, SERVICES
from tests.support.system import Blog

Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]

PAGES = ROOT / "docs" / "reference"
CONTRACTS = {name: schemathesis.openapi.from_path(PAGES / f"openapi-{name}.yaml") for name in PARTS}
CHECKS = [
    status_code_conformance,  # a 500 is nowhere in a contract, a 503 where it may happen
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

schemathesis.serializer.alias("application/x-ndjson", "text/plain")


def read(page: str) -> str:
    return (PAGES / page).read_text()


@functools.cache
def load(page: str) -> Any:
    return yaml.safe_load(read(page))


def every(kind: type, value: Any) -> Iterator[Any]:
    """Yield this value and what is in it, as far as it is of this kind."""
    if isinstance(value, kind):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from every(kind, one)


def schema(reference: str) -> Draft202012Validator:
    """Return the validator of a schema, such as `asyncapi.yaml#/components/schemas/Post`."""
    return Draft202012Validator(
        {"$ref": reference},
        base_uri=f"{PAGES.as_uri()}/",
        retriever=lambda uri: load(uri.rpartition("/")[2]),
        validate_formats=True,
    )


def table(page: str) -> dict[str, list[str]]:
    """Return a page's table: what its first column names → the other columns."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", read(page), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split(" |")] for name, cells in rows}


# -- the pages themselves -------------------------------------------------------------------------------------------


def test_every_page_is_listed_and_every_link_leads_somewhere() -> None:
    pages = {page.name for page in PAGES.iterdir()} - {"README.md"}
    links = {name: re.findall(r"\]\(([^):#]+)\)", read(name)) for name in [*pages, "README.md"] if name.endswith("md")}

    assert set(links["README.md"]) == pages
    assert [link for targets in links.values() for link in targets if not (PAGES / link).exists()] == []


@pytest.mark.parametrize("page", sorted(page.name for page in PAGES.glob("openapi-*.yaml")))
def test_every_openapi_document_is_valid(page: str) -> None:
    document = load(page)

    OPENAPI_31_VALIDATOR.validate(document)

    assert None not in every(object, document), "a comma in a {…} ends a text"
    results = schemathesis.openapi.from_path(PAGES / page).get_all_operations()
    assert [result.err() for result in results if isinstance(result, Err)] == []
    for reference in {holder["$ref"] for holder in every(dict, document) if "$ref" in holder}:
        target, _, pointer = reference.partition("#/")
        assert look_up(load(target) if target else document, pointer), reference


def look_up(document: Any, pointer: str) -> Any:
    for name in pointer.split("/"):
        document = document[name.replace("~1", "/")]
    return document


# -- routes ---------------------------------------------------------------------------------------------------------


def app(name: str) -> Flask:
    if name == "event-bus":
        return create_bus(MemoryStore(), {}, Guard({}))
    return importlib.import_module(name).app


@pytest.mark.parametrize("name", PARTS)
def test_every_route_is_in_the_contract_and_no_other(name: str) -> None:
    routes = {
        f"{method} {in_braces(rule.rule)}"
        for rule in app(name).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }

    assert {operation.label for operation in operations(name)} == routes


def in_braces(rule: str) -> str:
    """Write Flask's `/events/<int:seq>` as OpenAPI does: `/events/{seq}`."""
    return re.sub(r"<(?:[a-z]+:)?(\w+)>", r"{\1}", rule)


def operations(name: str) -> list[Operation]:
    return [result.ok() for result in CONTRACTS[name].get_all_operations() if isinstance(result, Ok)]


# -- settings and metrics -------------------------------------------------------------------------------------------


def test_every_setting_is_in_the_page_with_who_reads_it() -> None:
    readers: dict[str, set[Path]] = {}
    for source in (ROOT / "blog").rglob("*.py"):
        if source.name.startswith("test_"):
            continue
        for name in re.findall(r'(?:environ|settings)(?:\.get\(|\[)["\']([A-Z_]+)', source.read_text()):
            readers.setdefault(name, set()).add(source)
    del readers["WERKZEUG_RUN_MAIN"]  # Flask's reloader sets it
    del readers["REQUESTS_CA_BUNDLE"]  # a setting of the library `requests`; cli.md describes it

    documented = {
        name: {(PAGES / link).resolve() for link in re.findall(r"\]\(([^)]+)\)", cells[1])}
        for name, cells in table("settings.md").items()
    }

    assert documented == readers


def test_every_metric_is_in_the_page_with_its_type_and_labels(blog: Blog) -> None:
    blog.write_post("Measured")
    page = requests.get(blog.url("event-bus") + "/metrics", timeout=PATIENCE).text
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", page, re.MULTILINE))

    def labels(metric: str) -> set[str]:
        samples = re.findall(rf"^{metric}(?:_\w+)?{{(.*)}} ", page, re.MULTILINE)
        return {label for sample in samples for label in re.findall(r'(\w+)="', sample)} - {"le"}

    documented = {name: (cells[0], set(re.findall(r"\w+", cells[2]))) for name, cells in table("metrics.md").items()}
    assert documented == {name: (kind, labels(name)) for name, kind in types.items()}


# -- events ---------------------------------------------------------------------------------------------------------

EVENTS = load("asyncapi.yaml")


def test_every_reference_of_the_events_leads_somewhere() -> None:
    references = [holder["$ref"] for holder in every(dict, EVENTS) if "$ref" in holder]

    assert EVENTS["asyncapi"] == "3.0.0"
    assert references
    assert all(look_up(EVENTS, reference.removeprefix("#/")) for reference in references)
    assert None not in every(object, EVENTS), "a comma in a {…} ends a text"


def test_the_events_of_a_story_are_what_the_page_says(blog: Blog) -> None:
    post = blog.write_post("A story")
    for content in ("plain", "orange"):
        blog.write_comment(post, content)
    eventually(lambda: set(blog.page()["A story"].values()) == {"approved", "rejected"})
    story = blog.events()

    for event in story:
        schema(f"asyncapi.yaml#/components/messages/{event['type']}/payload").validate(event)
        schema("openapi-service.yaml#/components/schemas/Event").validate(event)

    messages = EVENTS["components"]["messages"]
    assert {event["type"] for event in story} == set(messages)
    assert {(event["source"].removeprefix("/"), event["type"]) for event in story} == said_of("publishes")
    for name, message in messages.items():
        for example in message.get("examples", []):
            schema(f"asyncapi.yaml#/components/messages/{name}/payload").validate(example["payload"])


def test_every_handler_is_in_the_events_page_and_no_other() -> None:
    handled = {(name, type) for name in SERVICES for type in importlib.import_module(name).service.handlers}

    assert said_of("handles") == handled


def said_of(what: str) -> set[tuple[str, str]]:
    """Return which service publishes, or handles, which type of event."""
    return {
        (name.removesuffix(f"-{what}"), message["$ref"].rpartition("/")[2])
        for name, operation in EVENTS["operations"].items()
        if name.endswith(f"-{what}")
        for message in operation["messages"]
    }


# -- streams never end, so no requests are generated for them -------------------------------------------------------

STREAMS = {
    "query": {"GET /posts/stream"},
    "event-bus": {"GET /deliveries", "GET /whiteboard"},
}


def messages(blog: Blog, name: str, path: str, count: int) -> list[tuple[str, Any]]:
    """Return the first messages of a stream, each with its event's name."""
    heard: list[tuple[str, Any]] = []
    with requests.get(
        blog.url(name) + path, headers={"Accept": "text/event-stream"}, stream=True, timeout=PATIENCE
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        kind = "message"
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            field, _, value = line.partition(": ")
            if field == "event":
                kind = value
            if field == "data":
                heard.append((kind, json.loads(value)))
                kind = "message"
            if len(heard) == count:
                break
    return heard


def test_the_pages_stream_says_what_the_contract_says(blog: Blog) -> None:
    blog.write_post("Streamed")

    [(first, status), (second, posts)] = messages(blog, "query", "/posts/stream", 2)

    assert (first, second) == ("status", "posts")
    schema("openapi-query.yaml#/components/schemas/Status").validate(status)
    for post in posts:
        schema("openapi-query.yaml#/components/schemas/Post").validate(post)


def test_the_deliveries_are_what_the_contract_says(blog: Blog) -> None:
    blog.write_post("Delivered")

    for kind, delivery in messages(blog, "event-bus", "/deliveries", 4):
        assert kind == "message"
        schema("openapi-event-bus.yaml#/components/schemas/Delivery").validate(delivery)


def test_the_whiteboard_is_what_the_contract_says(blog: Blog) -> None:
    blog.write_post("Drawn")

    [(first, all_of_them), (second, events), (third, deliveries)] = messages(blog, "event-bus", "/whiteboard", 3)

    assert (first, second, third) == ("subscribers", "events", "deliveries")
    for subscriber in all_of_them["subscribers"]:
        schema("openapi-event-bus.yaml#/components/schemas/Subscriber").validate(subscriber)
    assert [brief["seq"] for brief in events["events"]][-1] == events["last"] == all_of_them["head"]
    for brief in events["events"]:
        schema("openapi-event-bus.yaml#/components/schemas/Brief").validate(brief)
    for delivery in deliveries:
        schema("openapi-event-bus.yaml#/components/schemas/Delivery").validate(delivery)


def test_the_log_comes_as_an_array_as_lines_and_as_a_stream(blog: Blog) -> None:
    blog.write_post("In three forms")
    log = blog.events()

    lines = requests.get(
        blog.url("event-bus") + "/events", headers={"Accept": "application/x-ndjson"}, timeout=PATIENCE
    )

    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.text.splitlines()] == log
    assert messages(blog, "event-bus", "/events", len(log)) == [("message", event) for event in log]
    for event in log:
        schema("openapi-service.yaml#/components/schemas/Event").validate(event)


# -- what running parts answer --------------------------------------------------------------------------------------


def ask(blog: Blog, name: str, label: str, path: dict[str, Any], status: int, **request: Any) -> None:
    """Make one request that a contract has; the answer has this status, and is as the contract says."""
    method, _, template = label.partition(" ")
    operation = CONTRACTS[name][template][method]
    case = operation.Case(path_parameters=path, **request)
    answer = case.call_and_validate(base_url=blog.url(name), checks=CHECKS, timeout=20)
    assert answer.status_code == status, (name, label, answer.text)


POST = {"title": "Hello"}
QUERY = {"name": "query"}
BUS, STEP, REWIND = "event-bus", "POST /subscribers/{name}/step", "POST /subscribers/{name}/rewind"
PUT, PATCH, DELETE = (f"{method} /subscribers/{{name}}" for method in ("PUT", "PATCH", "DELETE"))
LOOK, CHANGES, MOMENT, HANDLERS = (
    f"GET /subscribers/{{name}}/{what}" for what in ("state", "changes", "moment", "handlers")
)
COMMENT = "POST /posts/{post_id}/comments"
JSON = {"media_type": "application/json"}
BATCH = {"media_type": "application/cloudevents-batch+json"}
HANDLED = {"type": "PostCreated", "data": {"id": "1f2e3d4c", "title": "Hello"}}
LARGE = "x" * 9_000_000

# The last one is at 127.0.0.1 for urllib, and elsewhere for requests.
NO_ADDRESSES = [
    *("127.0.0.1:4002", "http://[", "http://[::1", "http://localhost\u2100", "http://127.0.0.1:99999"),
    *("http://127.0.0.1?a=b", "http://a:b@127.0.0.1", "http://elsewhere.example\\@127.0.0.1"),
]

# Read from top to bottom: what an instructor does to query is one session.
REQUESTS: list[tuple[str, str, dict[str, Any], int, dict[str, Any]]] = [
    ("posts", "POST /posts", {}, 413, {"body": {"title": LARGE}}),
    ("comments", COMMENT, {"post_id": "unknown"}, 404, {"body": {"content": "Hello"}}),
    ("comments", COMMENT, {"post_id": "unknown"}, 413, {"body": {"content": LARGE}}),
    ("query", "POST /events", {}, 200, {"body": HANDLED, **JSON}),
    ("query", "POST /events", {}, 200, {"body": [HANDLED], **JSON}),
    ("query", "POST /events", {}, 409, {"body": [{**HANDLED, "seq": 1_000_000}], **JSON}),
    ("query", "POST /events", {}, 413, {"body": {**HANDLED, "data": LARGE}, **JSON}),
    ("query", "POST /events", {}, 422, {"body": {**HANDLED, "data": "no post"}, **JSON}),
    ("query", "GET /state", {}, 200, {"query": {"at": 1, "skip": "1,2"}}),
    ("query", "GET /state", {}, 422, {"query": {"at": 1_000_000}}),
    ("query", "GET /state", {}, 422, {"query": {"at": 1, "skip": "1000000*"}}),
    ("query", "GET /changes", {}, 200, {"query": {"to": 1, "skip": "1*", "from_skip": ""}}),
    ("query", "GET /changes", {}, 422, {"query": {"from": 1_000_000, "to": 1}}),
    ("query", "GET /moment", {}, 200, {"query": {"at": 0}}),
    ("query", "GET /moment", {}, 200, {"query": {"at": 1, "skip": "1*", "last": 5}}),
    ("query", "GET /moment", {}, 422, {"query": {"at": 1_000_000}}),
    (BUS, "POST /events", {}, 200, {"body": HANDLED, **JSON}),
    (BUS, "POST /events", {}, 200, {"body": [HANDLED, HANDLED], **BATCH}),
    (BUS, "POST /events", {}, 403, {"body": HANDLED, "headers": {"Origin": "http://elsewhere.example"}, **JSON}),
    (BUS, "POST /events", {}, 403, {"body": HANDLED, "headers": {"Host": "elsewhere.example"}, **JSON}),
    (BUS, "POST /events", {}, 413, {"body": {**HANDLED, "data": LARGE}, **JSON}),
    (BUS, "GET /log", {}, 200, {}),
    (BUS, "PUT /log", {}, 409, {"body": "", "media_type": "application/x-ndjson"}),
    (BUS, "GET /events", {}, 200, {"query": {"limit": 1, "type": "PostCreated"}}),
    (BUS, "GET /events", {}, 200, {"query": {"limit": 1, "contains": "hello"}}),
    (BUS, "GET /", {}, 200, {}),
    (BUS, "POST /session", {}, 204, {"body": {"token": "none is needed"}}),
    (BUS, "POST /session", {}, 401, {"body": {}}),
    (BUS, "GET /events/{seq}", {"seq": 1}, 200, {}),
    (BUS, PUT, QUERY, 422, {"body": {"url": "http://elsewhere.example"}}),
    *[(BUS, PUT, QUERY, 422, {"body": {"url": url}}) for url in NO_ADDRESSES],
    (BUS, "POST /events", {}, 403, {"body": HANDLED, "headers": {"Origin": "http://["}, **JSON}),
    (BUS, "POST /events", {}, 403, {"body": HANDLED, "headers": {"Host": "[:]"}, **JSON}),
    (BUS, PUT, {"name": "unknown"}, 404, {"body": {"url": "http://127.0.0.1:1", "stopping": True}}),
    (BUS, PUT, {"name": "absent"}, 200, {"body": {"url": "http://127.0.0.1:1", "log_id": "x", "after": 1_000_000}}),
    (BUS, PUT, {"name": "absent"}, 200, {"body": {"url": "http://127.0.0.1:1", "log": "x"}}),
    (BUS, STEP, QUERY, 409, {"body": {}}),
    (BUS, PATCH, QUERY, 200, {"body": {"paused": True}}),
    (BUS, REWIND, QUERY, 200, {"body": {"to": 1}}),
    (BUS, REWIND, QUERY, 422, {"body": {"to": 1_000_000}}),
    (BUS, STEP, QUERY, 200, {"body": {"count": 2}}),
    (BUS, LOOK, QUERY, 200, {"query": {"at": 1, "skip": "1"}}),
    (BUS, LOOK, QUERY, 422, {"query": {"at": 1_000_000}}),
    (BUS, CHANGES, QUERY, 200, {"query": {"to": 1}}),
    (BUS, CHANGES, QUERY, 422, {"query": {"to": 1_000_000}}),
    (BUS, MOMENT, QUERY, 200, {"query": {"at": 1, "skip": "1*", "last": 5}}),
    (BUS, MOMENT, QUERY, 422, {"query": {"at": 1_000_000}}),
    (BUS, HANDLERS, QUERY, 200, {}),
    (BUS, LOOK, {"name": "absent"}, 503, {}),
    (BUS, MOMENT, {"name": "absent"}, 503, {}),
    (BUS, HANDLERS, {"name": "absent"}, 503, {}),
    (BUS, REWIND, {"name": "absent"}, 503, {"body": {}}),
    (BUS, PATCH, QUERY, 200, {"body": {"paused": False}}),
    (BUS, DELETE, {"name": "absent"}, 204, {}),
    (BUS, PATCH, {"name": "absent"}, 404, {"body": {"paused": True}}),
]


def test_known_requests_are_answered_as_the_contracts_say(blog: Blog) -> None:
    blog.write_post("Asked about")
    eventually(lambda: "Asked about" in blog.page())

    for name, label, path, status, request in REQUESTS:
        ask(blog, name, label, path, status, **request)


@pytest.mark.parametrize("name", ["posts", "comments", "query", "event-bus"])
def test_what_is_no_json_is_refused_as_the_contracts_say(blog: Blog, name: str) -> None:
    for operation in operations(name):
        if not any(body.media_type == "application/json" for body in operation.body):
            continue
        path = {"post_id": "1f2e3d4c", "name": "query"}
        url = blog.url(name) + operation.path.format_map(path)
        for body, media_type, status in ((b"{", "application/json", 400), (b"{}", "text/plain", 415)):
            headers = {"Content-Type": media_type}
            answer = requests.request(operation.method, url, data=body, headers=headers, timeout=PATIENCE)
            operation.Case(path_parameters=path).validate_response(answer, checks=CHECKS)
            assert answer.status_code == status


def test_without_the_bus_services_answer_as_their_contracts_say(new_blog: Blog) -> None:
    new_blog.start("posts", "comments")

    ask(new_blog, "posts", "GET /readyz", {}, 503)
    ask(new_blog, "posts", "POST /posts", {}, 503, body=POST)
    ask(new_blog, "posts", "GET /state", {}, 503, query={"at": 1})
    ask(new_blog, "posts", "GET /changes", {}, 503, query={"from": 0, "to": 1})
    ask(new_blog, "posts", "GET /moment", {}, 503, query={"at": 1})
    ask(new_blog, "comments", COMMENT, {"post_id": "unknown"}, 503, body={"content": "Hello"})


def test_without_the_token_everything_is_refused_as_the_contracts_say(new_blog: Blog) -> None:
    new_blog.settings = {"BUS_TOKEN": "s3cret"}
    new_blog.start("event-bus", "moderation")
    path = {"name": "query", "seq": 1}

    for name in ("event-bus", "moderation"):
        for operation in operations(name):
            if "401" in operation.definition.raw["responses"] and operation.definition.raw.get("security") != []:
                ask(new_blog, name, operation.label, path, 401)
    ask(new_blog, BUS, "POST /session", {}, 401, body={"token": "guessed"})


def test_a_service_that_has_not_the_token_says_so_as_its_contract_says(new_blog: Blog) -> None:
    new_blog.settings = {"BUS_TOKEN": "s3cret"}
    new_blog.start("event-bus")
    new_blog.settings = {}
    new_blog.start("posts", "comments")

    ask(new_blog, "posts", "POST /posts", {}, 503, body=POST)
    ask(new_blog, "posts", "GET /state", {}, 503, query={"at": 1})
    ask(new_blog, "posts", "GET /changes", {}, 503, query={"from": 0, "to": 1})
    ask(new_blog, "posts", "GET /moment", {}, 503, query={"at": 1})
    ask(new_blog, "comments", COMMENT, {"post_id": "unknown"}, 503, body={"content": "Hello"})


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        pytest.param(name, operation, id=f"{name}: {operation.label}")
        for name in ("client", *SERVICES, "event-bus")
        for operation in operations(name)
        if operation.label not in STREAMS.get(name, ())
    ],
)
def test_every_request_is_answered_as_the_contract_says(blog: Blog, name: str, operation: Operation) -> None:
    there_is = {"name": "query", "post_id": next(iter(blog.get("posts", "/posts")), "1f2e3d4c"), "seq": 1}
    existing = {parameter: there_is[parameter] for parameter in re.findall(r"{(\w+)}", operation.path)}
    requests_of_all_kinds = (
        operation.as_strategy()
        | operation.as_strategy(path_parameters=existing)
        | operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    )

    @given(case=requests_of_all_kinds)
    @settings(
        derandomize=True,
        max_examples=15,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answer(case: Case) -> None:
        case.call_and_validate(base_url=blog.url(name), checks=CHECKS, timeout=20)

    answer()
