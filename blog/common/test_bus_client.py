"""The bus client: the requests that it makes, and what it makes of the answers. The bus is faked at the edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses
from minibus.bus.client import BusAway, BusClient, BusRefused, NoAnswer
from responses.matchers import header_matcher, json_params_matcher, query_param_matcher

URL = "http://127.0.0.1:4005"


@pytest.fixture
def bus() -> BusClient:
    return BusClient(URL + "/")


@responses.activate
def test_a_refusal_has_the_message_of_the_bus(bus: BusClient) -> None:
    responses.get(f"{URL}/subscribers/unknown", status=404, json={"errors": [{"message": "There is none."}]})

    with pytest.raises(BusRefused, match=r"^There is none\.$") as refused:
        bus.subscriber("unknown")

    assert refused.value.status == 404


@responses.activate
@pytest.mark.parametrize("body", ["<p>Bad gateway</p>", "[]", '{"errors": []}', '{"errors": [{"message"'])
def test_an_error_without_a_message_names_the_request(bus: BusClient, body: str) -> None:
    responses.get(f"{URL}/subscribers", status=502, body=body)

    with pytest.raises(BusAway) as away:
        bus.subscribers()

    assert str(away.value) == f"GET {URL}/subscribers answered 502 without a message. Is this the event bus?"
    assert not isinstance(away.value, NoAnswer)


@responses.activate
def test_no_answer_names_the_url(bus: BusClient) -> None:
    responses.get(f"{URL}/subscribers", body=requests.ConnectionError())

    with pytest.raises(NoAnswer, match=f"^No answer from {URL}\\.$"):
        bus.subscribers()


@responses.activate
@pytest.mark.parametrize("ask", [BusClient.subscribers, BusClient.head, lambda bus: bus.event(1)])
@pytest.mark.parametrize("body", ["OK", "[" * 100_000, "[]", ""])
def test_an_answer_of_another_server_counts_as_an_outage(bus: BusClient, ask: Callable[..., Any], body: str) -> None:
    for path in ("/subscribers", "/log", "/events/1"):
        responses.get(URL + path, body=body)

    with pytest.raises(BusAway, match="does not answer as the event bus does"):
        ask(bus)


@responses.activate
def test_a_page_leads_to_the_next_one(bus: BusClient) -> None:
    following = {"Link": '</events?after=2&limit=3>; rel="next"'}
    responses.get(
        f"{URL}/events", json=[{"seq": 1}, {"seq": 2}], headers=following,
        match=[query_param_matcher({"after": 0, "limit": 3})],
    )  # fmt: skip
    responses.get(f"{URL}/events", json=[{"seq": 3}, {"seq": 4}], match=[query_param_matcher({"after": 2, "limit": 3})])

    assert [event["seq"] for event in bus.events(until=3)] == [1, 2, 3]


@responses.activate
def test_a_bus_below_a_path_is_reached_there() -> None:
    responses.get("http://school.example/bus/subscribers/a%2Fb", json={"position": 1})

    assert BusClient("http://school.example/bus").subscriber("a/b") == {"position": 1}


@responses.activate
def test_a_stream_yields_fields_and_its_end_is_an_outage(bus: BusClient) -> None:
    responses.get(
        f"{URL}/events", body=b'id: x-7\ndata: {"seq": 7}\n\n',
        match=[
            query_param_matcher({"after": 3, "type": "PostCreated"}),
            header_matcher({"Accept": "text/event-stream", "Last-Event-ID": "x-6"}),
        ],
    )  # fmt: skip
    stream = bus.follow(3, "x-6", type="PostCreated")

    assert [next(stream), next(stream), next(stream)] == [("id", "x-7"), ("data", '{"seq": 7}'), ("", "")]
    with pytest.raises(BusAway, match="The bus closed the stream"):
        next(stream)


@responses.activate
def test_the_head_is_in_the_first_line_of_the_log(bus: BusClient) -> None:
    responses.get(f"{URL}/log", body=b'{"format":"minibus-log/1","events":60}\n{"seq":1}\n')

    assert bus.head() == 60
    assert b"".join(bus.export_log()).endswith(b'{"seq":1}\n')


@responses.activate
@pytest.mark.parametrize("reply", [{"log_id": "a-log", "head": 7}, {"log": "a-log", "head": 7}])
def test_a_registration_names_the_log_also_at_an_older_bus(bus: BusClient, reply: dict[str, Any]) -> None:
    responses.put(f"{URL}/subscribers/query", json=reply)

    registration = bus.register("query", {"url": "http://127.0.0.1:4002"})

    assert (registration.log_id, registration.head) == ("a-log", 7)


@responses.activate
def test_controls_send_what_the_bus_expects(bus: BusClient) -> None:
    url = f"{URL}/subscribers/query"
    for paused in (True, False):
        responses.patch(url, json={"paused": paused}, match=[json_params_matcher({"paused": paused})])
    responses.post(f"{url}/step", json={"position": 2, "delivered": 2}, match=[json_params_matcher({"count": 2})])
    responses.post(f"{url}/rewind", json={"position": 7}, match=[json_params_matcher({"to": 7})])

    assert bus.pause("query") == {"paused": True}
    assert bus.resume("query") == {"paused": False}
    assert bus.step("query", 2) == {"position": 2, "delivered": 2}
    assert bus.rewind("query", 7) == {"position": 7}


@responses.activate
def test_a_look_back_leaves_out_what_is_not_given(bus: BusClient) -> None:
    url = f"{URL}/subscribers/query"
    responses.get(f"{url}/state", json={"at": 7}, match=[query_param_matcher({"at": 7})])
    responses.get(f"{url}/changes", json={"to": 7}, match=[query_param_matcher({"from": 0, "to": 7, "from_skip": ""})])

    assert bus.state("query", at=7) == {"at": 7}
    assert bus.changes("query", from_=0, to=7, skip=None, from_skip="") == {"to": 7}
