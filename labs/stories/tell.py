"""Write the prepared logs: `python labs/stories/tell.py`; or only one: `python labs/stories/tell.py long`.

Only the posts and comments are invented. The services' own handlers cause all other events, so each reaction has the id
that a replay derives. Times and ids are fixed: the script writes the same files on every run.
"""

from __future__ import annotations

import hashlib
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import comments
import moderation
import msgspec
import posts
import query
from event_bus.log.file import FORMAT, Header
from minibus.bus.shared_replica import SharedReplica
from minibus.bus.stamp import stamp
from minibus.core.event import Envelope, Event, complete

FOLDER = Path(__file__).parent
SERVICES = (posts.service, comments.service, query.service, moderation.service)
BEGIN = datetime.fromisoformat("2026-03-02T09:00:00Z")
BETWEEN_ACTS, BETWEEN_EVENTS = timedelta(seconds=41), timedelta(milliseconds=7)
LONG = int(os.environ.get("LONG", "100000"))  # events

Notes = Iterator[str | None]


class Story:
    """A log that grows act by act. Each event of an act gets the next of the act's notes; None means no note."""

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.events: list[Envelope] = []
        self.clock = BEGIN
        self.away: set[str] = set()
        self.replicas = {one.name: SharedReplica(one.name, one.handlers, one.empty) for one in SERVICES}

    def post(self, title: str, *notes: str | None) -> str:
        """Append a new post and the reactions to it; return its id."""
        data = {"id": self._draw("post", title), "title": title}
        self._act("posts", Event("PostCreated", data), notes)
        return data["id"]

    def comment(self, post: str, content: str, *notes: str | None) -> None:
        """Append a new comment and the reactions to it."""
        data = {"id": self._draw("comment", content), "content": content, "status": "pending", "postId": post}
        self._act("comments", Event("CommentCreated", data), notes)

    def leave(self, name: str) -> None:
        """Stop a service: it gets no events until it comes back."""
        self.away.add(name)

    def come_back(self, name: str, *notes: str | None) -> None:
        """Start a service again: replay the log to it, and append the reactions that it owes."""
        self.away.remove(name)
        self.clock += BETWEEN_ACTS
        self._settle(chain(notes, repeat(None)))

    def file(self) -> bytes:
        """Return the log in the format that the bus imports."""
        lines = [msgspec.json.encode(line) for line in (Header(FORMAT, len(self.events)), *self.events)]
        return b"\n".join(lines) + b"\n"

    def _act(self, service: str, event: Event, given: tuple[str | None, ...]) -> None:
        self.clock += BETWEEN_ACTS
        notes = chain(given, repeat(None))
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name} {len(self.events)}"))
        self._append({"id": identity, "source": f"/{service}", "type": event.type, "data": event.data}, notes)
        self._settle(notes)

    def _settle(self, notes: Notes) -> None:
        """Deliver the log to all services that are up, and append their reactions, until no service has one."""
        present = [replica for name, replica in self.replicas.items() if name not in self.away]
        while True:
            for replica in present:
                replica.receive(self.events[replica.position :])
            owed = [event for replica in present for event in replica.core.owed.values()]
            if not owed:
                return
            for event in owed:
                self._append(event, notes)

    def _append(self, event: Envelope, notes: Notes) -> None:
        self.clock += BETWEEN_EVENTS
        attributes = {**event, "time": self.clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        if not self.events:
            attributes["story"] = self.title
        if note := next(notes):
            attributes["note"] = note
        self.events.append(complete(attributes, **stamp()) | {"seq": len(self.events) + 1})

    def _draw(self, kind: str, text: str) -> str:
        """Return an id in the services' form, 8 hex characters that are not all digits; the same one on every run."""
        drawn = hashlib.sha256(f"{self.name} {kind} {len(self.events)} {text}".encode()).hexdigest()
        while drawn[:8].isdigit():
            drawn = drawn[1:]
        return drawn[:8]


def happy_path() -> Story:
    """Return the story in which all services are up: 60 events, from the first post to the last verdict."""
    story = Story("happy-path", "The happy path: all services are up, and every comment gets its verdict")
    bus = story.post(
        "We drew a bus on the whiteboard today. Everyone asked where the passengers sit.",
        "A reader wrote a post. posts published one event, for every subscriber. Step query and look.",
    )
    story.comment(
        bus,
        "The passengers are events. They all get off at every stop.",
        "A new comment is pending. Three services handle this event, each in its own way.",
        "moderation judged the comment and published a verdict. It keeps no state and asks no other service.",
        "comments decides what a verdict means, and publishes it in one general event. query handles only this one.",
    )
    story.comment(
        bus,
        "Ours is late. Is that what they call eventual consistency?",
        "Again: created, moderated, updated. Look at the chain: each event names the event that caused it.",
    )
    story.comment(
        bus, "Who drives it?", None, None, "Ask the class who drives it. No service does: each one reacts to events."
    )
    lunch = story.post(
        "Lunch poll: soup or sandwiches? The kitchen listens to this blog, so choose your words.",
        "A second post in the same log. All events have one order, so a replay is simple.",
    )
    story.comment(lunch, "Soup. It is a pipeline of vegetables.")
    story.comment(
        lunch,
        "An orange would do for me, thank you.",
        "This comment contains the word orange. Before you step: which services will react to it?",
        "Rejected. Any service may handle this verdict; query has no handler for it.",
        "Only now the page changes. Go one event back and forward again: this is the whole difference.",
    )
    story.comment(lunch, "Sandwiches: stateless, and easy to replicate.")
    crash = story.post(
        "I pulled the plug of a running service in front of my class. It was quiet for four seconds.",
        "What happens if query stops here? The story query-was-down shows it.",
    )
    story.comment(crash, "What did it remember when it came back?")
    story.comment(crash, "Nothing, and then everything. It read the log from the beginning.")
    story.comment(
        crash,
        "My class clapped. I had practised for an hour.",
        None,
        None,
        "Look back from here to #10 and to #21. A look back folds the log again, and changes no running service.",
    )
    race = story.post(
        "Type fast: the first three comments win a sticker. Ready?", "Now several readers write at the same moment."
    )
    story.leave("moderation")
    story.comment(race, "First!", "The first of three comments. moderation has not judged it yet.")
    story.comment(
        race, "First! Oh. Second, then.", "The bus stores the second comment before the first is judged. That is fine."
    )
    story.leave("comments")
    story.comment(
        race,
        "I brought an Orange for the winner.",
        "Three comments are pending. Their verdicts will have the same order.",
    )
    story.come_back(
        "moderation",
        "Three verdicts in a row: moderation applied the events that it had missed, in the order of the log.",
        None,
        '"Orange" with a capital letter is rejected, too. The course\'s code approves it.',
    )
    story.come_back("comments", "Then three updates. The id in each verdict names its comment.")
    names = story.post(
        "Names we gave to our servers, and why none of them is called `server` any more.",
        "Two posts with the same title are two posts: the id identifies a post, not its title.",
    )
    story.comment(names, "Ours are cheeses. Gouda holds the log, and it has never lost a byte.")
    story.comment(names, "We use planets. There was a long talk about Pluto.")
    story.comment(names, "`final2` is still in production. It sends its regards.")
    thanks = story.post(
        "Last hour before the holidays: what will you still know in September?", "The last post of this story."
    )
    story.comment(thanks, "That a log is a list without an edit button.")
    story.comment(thanks, "That down is not the same as gone.")
    story.comment(
        thanks,
        "That I should have stored the events from the start.",
        None,
        None,
        "The end. Rewind query with minibus rewind query: its replay ends in exactly the same page.",
    )
    return story


def query_was_down() -> Story:
    """Return the story in which query is down, and gets the missed events from the log."""
    story = Story("query-was-down", "query was down: the log keeps the events that it missed")
    first = story.post(
        "Rehearsal for tomorrow: will the projector find my laptop?",
        "All four services are paused at 0. Step all of them: minibus step",
    )
    story.comment(
        first,
        "It found mine. It still shows my holiday.",
        None,
        None,
        "The page is complete. From here on query is down: keep it paused, and step the other three.",
    )
    story.leave("query")
    second = story.post(
        "Query is down, and posts does not need it.",
        "Written while query is down. posts has this post: minibus step posts comments moderation",
    )
    story.comment(
        second,
        "I can write this, although the page cannot show it.",
        "Without query the page is not up to date, but comments still accepts comments.",
        None,
        "The comment is judged and updated. No service waited for query.",
    )
    story.comment(
        second, "Orange you glad that the log keeps everything?", None, "Rejected, and no reader has seen it."
    )
    story.comment(
        first,
        "And a late one for the first post.",
        None,
        None,
        "Now query comes back: minibus resume query. The bus replays the log, and the page shows the end.",
    )
    story.come_back("query")
    return story


def moderation_was_down() -> Story:
    """Return the story in which comments get their verdicts late; with the course's bus they would never get them."""
    story = Story("moderation-was-down", "moderation was down: the comments get their verdicts later")
    post = story.post(
        "The moderator is at lunch. Behave.",
        "All four services are up. Step all of them: minibus step",
    )
    story.comment(post, "We always do.", None, "The verdict took milliseconds. From here on moderation is down.")
    story.leave("moderation")
    story.comment(
        post,
        "Does the moderator read this?",
        "This comment stays pending, and the page says so. Step posts, comments and query, but not moderation.",
    )
    story.comment(post, "I will say orange, just to see what happens.", "This comment stays pending, too.")
    story.comment(
        post, "Nothing happens. How restful.", "Three comments are pending. With the course's bus they would stay so."
    )
    story.come_back(
        "moderation",
        "moderation is back and was replayed. It owed three verdicts; this is the first.",
        "The comment with the word orange is rejected, late but certainly.",
        "The replay also judged the first comment again. That verdict has the same id, so the log has it once.",
        "Now comments publishes what the verdicts mean. Step query: the page catches up, comment by comment.",
    )
    return story


def rejected_comment() -> Story:
    """Return the story in which two comments are rejected, and three services handle that in three ways."""
    story = Story("rejected-comment", "A rejected comment: one fact, and what each service does with it")
    post = story.post(
        "What is in your fruit basket?", "All four services are paused at 0. Step all of them: minibus step"
    )
    story.comment(
        post,
        "Pears, and a banana that has seen better days.",
        "A new comment is pending, as always.",
        "Approved: the comment does not contain the word orange.",
        "query copies the status, and the page shows the text.",
    )
    story.comment(
        post,
        "One orange, on the left.",
        "This comment contains the word orange. Its text stays in the log: a log is never edited.",
        "moderation rejects the comment. It does not decide what readers see.",
        "comments decides that the text is hidden. The page hides it; the log and query's state still have it.",
    )
    story.comment(
        post,
        "A BLOOD ORANGE, to be exact.",
        "In capital letters. The course's code would approve it.",
        "Our handler rejects it, in one line: minibus walk moderation --step",
        "The end. What if this comment did not exist? minibus diff query --without '8*'",
    )
    return story


def long() -> Story:
    """Return a log of 100,000 events, to try looking back in a large log. `make story` writes it when it is needed."""
    story = Story("long", f"A long log: {LONG:,} events, to move back and forth in")
    places = ("Vienna", "Lisbon", "Oslo", "Kyoto", "Lima", "Accra", "Quito", "Hobart")
    fruits = ("pears", "plums", "an orange", "cherries", "figs", "quinces", "apples")
    note = "Look back to #10 from here, and forward again. It takes no longer than in a short log."
    number = 0
    post = ""
    while (left := LONG - len(story.events)) > 0:
        number += 1
        if number % 12 == 1 or left < 3:
            post = story.post(
                f"Letter {number} from {places[number % len(places)]}", note if number % 4000 == 1 else None
            )
        else:
            story.comment(post, f"Letter {number} came with {fruits[number % len(fruits)]}.")
    return story


STORIES: dict[str, Callable[[], Story]] = {
    "happy-path": happy_path,
    "query-was-down": query_was_down,
    "moderation-was-down": moderation_was_down,
    "rejected-comment": rejected_comment,
    "long": long,
}

if __name__ == "__main__":
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    for name in sys.argv[1:2] or [name for name in STORIES if name != "long"]:
        (folder / f"{name}.ndjson").write_bytes(STORIES[name]().file())
