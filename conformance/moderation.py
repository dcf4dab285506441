"""Rules for moderation: it judges every comment, and keeps no state."""

from __future__ import annotations

from typing import Any

from conformance import shared
from conformance.answer import as_json
from conformance.contract import Broken, Contract
from conformance.workbench import ServiceBench

moderation: Contract[ServiceBench] = Contract("moderation")


def judged(it: ServiceBench, content: str) -> dict[str, Any]:
    """Publish a new comment, and wait for its verdict; return the verdict's data."""
    comment = it.new_comment("1f2e3d4c", content)
    it.bus.publish("CommentCreated", comment)
    return it.bus.received("CommentModerated", "status", id=comment["id"])


def has_status(verdict: dict[str, Any], status: str, content: str) -> None:
    """Check the status in a verdict on this content. Raises `Broken`."""
    if verdict["status"] != status:
        raise Broken(f'the status "{status}" for "{content}"', f'the status "{verdict["status"]}"')


@moderation.course("CommentCreated: the service publishes CommentModerated")
def judges(it: ServiceBench) -> None:
    """On CommentCreated, send POST /events to the bus: {"type": "CommentModerated", "data": {"id", "postId", "status",
    "content"}}. Copy id, postId and content from the comment.
    """
    comment = it.new_comment("1f2e3d4c")
    it.bus.publish("CommentCreated", comment)
    verdict = it.bus.received("CommentModerated", "id", "postId", "status", "content", id=comment["id"])
    wanted = {name: comment[name] for name in ("id", "postId", "content")}
    if {name: verdict[name] for name in wanted} != wanted:
        raise Broken(f"CommentModerated with {as_json(wanted)}", as_json(verdict))


@moderation.course("A comment without the word orange is approved")
def approves(it: ServiceBench) -> None:
    """Set the status to "approved" if the content does not contain the word "orange"."""
    content = it.unique("A fine apple")
    has_status(judged(it, content), "approved", content)


@moderation.course("A comment with the word orange is rejected")
def rejects(it: ServiceBench) -> None:
    """Set the status to "rejected" if the content contains "orange" at any place."""
    for content in ("orange", it.unique("I like oranges, too")):
        has_status(judged(it, content), "rejected", content)


@moderation.course("It judges CommentCreated, and no other event")
def judges_nothing_else(it: ServiceBench) -> None:
    """Check the type of an event first. The bus delivers every event to every service, even your own CommentModerated
    and the CommentUpdated that it causes. A verdict on these would cause the next verdict, without end.
    """
    comment = it.new_comment("1f2e3d4c")
    it.bus.publish("PostCreated", {"id": comment["id"], "title": "No comment"})
    it.bus.publish("CommentUpdated", {**comment, "status": "approved"})
    judged(it, it.unique("Probe"))  # a verdict on the two events would have arrived before this one
    if it.bus.count("CommentModerated", id=comment["id"]):
        raise Broken("no verdict on PostCreated and CommentUpdated", "a CommentModerated with their id")


shared.takes_every_event(moderation)


@moderation.solid("Orange is rejected in capital letters, too")
def reads_capitals(it: ServiceBench) -> None:
    """Convert the content to lower case before you compare it. Otherwise "Orange" is approved."""
    for content in ("Orange", "ORANGE juice"):
        has_status(judged(it, content), "rejected", content)


@moderation.solid("A comment without content does not end the service", chapter=19, kills=True)
def bears_a_comment_without_content(it: ServiceBench) -> None:
    """Check that the content is a text before you search it: another program wrote this event. After an event that you
    cannot judge, judge the next one.
    """
    comment = it.new_comment("1f2e3d4c")
    it.bus.publish("CommentCreated", {"id": comment["id"], "postId": comment["postId"], "status": "pending"})
    judged(it, it.unique("The next"))


@moderation.solid("A comment written while the service was down is judged later", kills=True)
def judges_later(it: ServiceBench) -> None:
    """When you start, read GET /events from the bus. Judge every CommentCreated that has no CommentModerated yet.
    Otherwise such a comment stays pending for ever.
    """
    comment = it.new_comment("1f2e3d4c", it.unique("Patient"))
    with it.away():
        it.bus.store("CommentCreated", comment)
    it.bus.received("CommentModerated", id=comment["id"])


@moderation.solid("After a restart it judges no comment twice", chapter=19, kills=True)
def judges_once(it: ServiceBench) -> None:
    """When you catch up, skip every comment that already has a CommentModerated in the log."""
    verdict = judged(it, it.unique("Judge me once"))
    with it.away():
        later = it.new_comment("1f2e3d4c", it.unique("While it was away"))
        it.bus.store("CommentCreated", later)
    judged(it, it.unique("Probe"))  # reactions to the events in the log would have arrived before this one
    if (times := it.bus.count("CommentModerated", id=verdict["id"])) != 1:
        raise Broken("one CommentModerated for a comment", f"{times} of them")


shared.errors_are_json(moderation, "/events")
