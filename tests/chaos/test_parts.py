"""The parts of the model test: a seed is one script, checkers can fail, a story can be loaded, a script gets short."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import comments
import moderation
import posts
import pytest
import query
from event_bus.app import create_bus
from event_bus.http.guard import Guard
from event_bus.log.store.memory import MemoryStore
from minibus.bus.stamp import stamp
from minibus.core.event import Envelope, Event, complete, seal_reaction
from minibus.core.fold import Fold

from tests.chaos.checkers import Evidence, judge
from tests.chaos.commands import Comment, Fault, Kill, Post, Script, decode, draw, encode
from tests.chaos.machine import Outcome
from tests.chaos.people import Deed
from tests.chaos.shrink import shrink
from tests.chaos.story import tell


def fold(service: Any, log: list[Envelope]) -> Any:
    folded = Fold(service.handlers, service.empty)
    for event in log:
        folded.apply(event)
    return folded.state


def sound() -> Evidence:
    """Return what there is after one post and one comment, when all is well."""
    post = complete({"type": "PostCreated", "source": "/posts", "data": {"id": "aa", "title": "Post 1"}}, **stamp())
    written = {"id": "bb", "postId": "aa", "content": "Comment 1", "status": "pending"}
    comment = complete({"type": "CommentCreated", "source": "/comments", "data": written}, **stamp())
    judged = {**written, "status": "approved"}
    verdict = seal_reaction(Event("CommentModerated", judged), "/moderation", comment, 0, **stamp())
    update = seal_reaction(Event("CommentUpdated", judged), "/comments", verdict, 0, **stamp())
    log = [{**event, "seq": seq} for seq, event in enumerate([post, comment, verdict, update], 1)]
    deeds = [Deed(["Post 1"], "acknowledged", [[1]]), Deed(["Comment 1"], "acknowledged"), Deed(["Lost"], "unknown")]
    services = (posts.service, comments.service, query.service, moderation.service)
    states = {service.name: {"at": 4, "state": deepcopy(fold(service, log)), "skipped": []} for service in services}
    page = {
        "aa": {
            **states["query"]["state"]["aa"],
            "comments": [{"id": "bb", "content": "Comment 1", "status": "approved"}],
        }
    }
    return Evidence(deeds, log, states, page)


def lose_an_acknowledged_event(evidence: Evidence) -> None:
    evidence.deeds.append(Deed(["Post 2"], "acknowledged"))


def store_what_was_refused(evidence: Evidence) -> None:
    evidence.deeds[0].outcome = "refused"


def answer_a_wrong_number(evidence: Evidence) -> None:
    evidence.deeds[0].numbers.append([2])


def store_half_a_batch(evidence: Evidence) -> None:
    evidence.deeds[2].marks.append("Post 1")


def leave_a_hole(evidence: Evidence) -> None:
    evidence.log[3]["seq"] = 5


def store_twice(evidence: Evidence) -> None:
    evidence.log.append(evidence.log[0])


def judge_twice(evidence: Evidence) -> None:
    evidence.log.append({**evidence.log[2], "id": "another"})


def never_judge(evidence: Evidence) -> None:
    del evidence.log[2:]


def forget_in_a_service(evidence: Evidence) -> None:
    evidence.states["comments"]["state"] = {}


def stop_short(evidence: Evidence) -> None:
    evidence.states["moderation"]["at"] = 3


def leave_out_a_good_event(evidence: Evidence) -> None:
    evidence.states["query"]["skipped"] = [2]


def show_another_status(evidence: Evidence) -> None:
    evidence.page["aa"]["comments"][0]["status"] = "pending"


def show_posts_in_another_order(evidence: Evidence) -> None:
    post = complete({"type": "PostCreated", "source": "/posts", "data": {"id": "cc", "title": "Post 2"}}, **stamp())
    evidence.log.append({**post, "seq": 5})
    evidence.page = {"cc": {"id": "cc", "title": "Post 2", "comments": []}, **evidence.page}


def answer_with_an_error(evidence: Evidence) -> None:
    evidence.deeds[0].complaints.append("posts answered 500")


def test_a_sound_blog_has_nothing_wrong() -> None:
    assert judge(sound()) == []


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lose_an_acknowledged_event, "what was answered is there: Post 2 was acknowledged and is not in the log"),
        (store_what_was_refused, "what was answered is there: Post 1 was refused and is in the log"),
        (answer_a_wrong_number, "what was answered is there: Post 1 was said to be at [2]"),
        (store_half_a_batch, "what was answered is there: the batch of Lost is in the log by halves"),
        (answer_with_an_error, "what was answered is there: posts answered 500"),
        (leave_a_hole, "the numbers have no holes"),
        (store_twice, "every event stands once"),
        (judge_twice, "every reaction stands once: event 2, CommentCreated, has 2 CommentModerated"),
        (never_judge, "every reaction stands once: event 2, CommentCreated, has 0 CommentModerated"),
        (forget_in_a_service, "every state is the fold of the log: comments: aa is missing"),
        (stop_short, "every state is the fold of the log: moderation is at 3 of 4"),
        (leave_out_a_good_event, "every state is the fold of the log: query has left out [2], and refuses []"),
        (show_another_status, "the page shows what people wrote: aa / comments / 0 / status is pending, not approved"),
        (show_posts_in_another_order, "the page shows what people wrote: the order is"),
    ],
)
def test_every_checker_can_fail(harm: Callable[[Evidence], None], found: str) -> None:
    evidence = sound()

    harm(evidence)

    assert any(wrong.startswith(found) for wrong in judge(evidence)), judge(evidence)


def test_a_seed_is_always_the_same_script_and_can_be_kept() -> None:
    script = draw(17)

    assert draw(17) == script == decode(encode(script))
    assert draw(18) != script


def test_a_failing_script_is_made_as_short_as_it_fails() -> None:
    script: Script = [Post(), Kill("query"), Comment(), Post(), Fault("bus to query", "cut"), Comment(), Post()]

    def fails(shorter: Script) -> bool:
        return {Kill, Fault} <= {type(one) for one in shorter}

    assert shrink(script, fails, seconds=60) == [Kill("query"), Fault("bus to query", "cut")]


def test_the_story_of_a_failing_run_can_be_loaded_even_if_its_log_is_broken() -> None:
    evidence = sound()
    evidence.log[3]["seq"] = 9
    store_twice(evidence)
    fault = (evidence.log[1]["time"], "kill", "query")
    outcome = Outcome(wrong=judge(evidence), happened=[fault], log=evidence.log)
    bus = create_bus(MemoryStore(), {}, Guard({})).test_client()

    answer = bus.put("/log", data=tell("Seed 17", outcome), content_type="application/x-ndjson")

    assert answer.status_code == 200, answer.json
    told = json.loads(bus.get("/events").data)
    assert told[0]["story"] == "Seed 17"
    assert "query: kill" in [event.get("note") for event in told]
    assert [event["type"] for event in told[-len(outcome.wrong) :]] == ["PromiseBroken"] * len(outcome.wrong)
