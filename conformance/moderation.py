"""moderation: judges every comment, and keeps nothing."""

from __future__ import annotations

from typing import Any

from conformance import shared
from conformance.answer import as_json
from conformance.contract import Broken, Contract
from conformance.workbench import ServiceBench

moderation: Contract[ServiceBench] = Contract("moderation")


def judged(it: ServiceBench, content: str) -> dict[str, Any]:
    """Let somebody write a comment; return the verdict's data."""
    comment = it.new_comment("1f2e3d4c", content)
    it.bus.publish("CommentCreated", comment)
    return it.bus.heard("CommentModerated", "status", id=comment["id"])


def has_status(verdict: dict[str, Any], status: str, content: str) -> None:
    """The verdict on this content is the right one."""
    if verdict["status"] != status:
        raise Broken(f'the status "{status}" for "{content}"', f'the status "{verdict["status"]}"')


@moderation.course("A comment is judged: CommentModerated comes to the bus")
def judges(it: ServiceBench) -> None:
    """On CommentCreated, send POST /events to the bus: {"type": "CommentModerated", "data": {"id", "postId", "status",
    "content"}}, with the id, postId and content of the comment.
    """
    comment = it.new_comment("1f2e3d4c")
    it.bus.publish("CommentCreated", comment)
    verdict = it.bus.heard("CommentModerated", "id", "postId", "status", "content", id=comment["id"])
    wanted = {name: comment[name] for name in ("id", "postId", "content")}
    if {name: verdict[name] for name in wanted} != wanted:
        raise Broken(f"CommentModerated with {as_json(wanted)}", as_json(verdict))


@moderation.course("A comment is approved")
def approves(it: ServiceBench) -> None:
    """Set the status to "approved" where the content does not contain the word "orange"."""
    content = it.unique("A fine apple")
    has_status(judged(it, content), "approved", content)


@moderation.course("A comment with the word orange in it is rejected")
def rejects(it: ServiceBench) -> None:
    """Set the status to "rejected" where the content contains "orange", wherever in it."""
    for content in ("orange", it.unique("I like oranges, too")):
        has_status(judged(it, content), "rejected", content)


@moderation.course("It judges on CommentCreated, and on no other event")
def judges_nothing_else(it: ServiceBench) -> None:
    """Look at the type of an event first: the bus sends every event to everybody, your own CommentModerated and the
    CommentUpdated that follows from it included. A verdict on these would go round for ever.
    """
    comment = it.new_comment("1f2e3d4c")
    it.bus.publish("PostCreated", {"id": comment["id"], "title": "No comment"})
    it.bus.publish("CommentUpdated", {**comment, "status": "approved"})
    judged(it, it.unique("Probe"))  # what was to come for the two has come by now
    if it.bus.count("CommentModerated", id=comment["id"]):
        raise Broken("no verdict on PostCreated and CommentUpdated", "a CommentModerated with their id")


shared.takes_every_event(moderation)


@moderation.solid("Orange is rejected however it is written")
def reads_capitals(it: ServiceBench) -> None:
    """Compare in lower case, or "Orange" slips through."""
    for content in ("Orange", "ORANGE juice"):
        has_status(judged(it, content), "rejected", content)


@moderation.solid("A comment without content does not end it", chapter=19, kills=True)
def bears_a_comment_without_content(it: ServiceBench) -> None:
    """Look whether there is a text before you search it: an event is what somebody else sent. One that cannot be judged
    must not keep you from judging the next.
    """
    comment = it.new_comment("1f2e3d4c")
    it.bus.publish("CommentCreated", {"id": comment["id"], "postId": comment["postId"], "status": "pending"})
    judged(it, it.unique("The next"))


@moderation.solid("A comment that was written while it was away is judged later", kills=True)
def judges_later(it: ServiceBench) -> None:
    """When you start, read GET /events from the bus, and judge every CommentCreated for which there is no
    CommentModerated yet; or such a comment is pending for ever.
    """
    comment = it.new_comment("1f2e3d4c", it.unique("Patient"))
    with it.away():
        it.bus.store("CommentCreated", comment)
    it.bus.heard("CommentModerated", id=comment["id"])


@moderation.solid("Restarted, it does not judge again what it has judged", chapter=19, kills=True)
def judges_once(it: ServiceBench) -> None:
    """When you catch up, leave out every comment for which the log has a CommentModerated already."""
    verdict = judged(it, it.unique("Judge me once"))
    with it.away():
        later = it.new_comment("1f2e3d4c", it.unique("While it was away"))
        it.bus.store("CommentCreated", later)
    judged(it, it.unique("Probe"))  # reactions to what is in the log have come by now
    if (times := it.bus.count("CommentModerated", id=verdict["id"])) != 1:
        raise Broken("one CommentModerated for a comment", f"{times} of them")


shared.errors_are_json(moderation, "/events")
