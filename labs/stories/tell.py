"""Write the prepared logs anew: `python labs/stories/tell.py`, or one of them: `python labs/stories/tell.py long`.

Nothing here is made up but what people write: the services' own handlers fold the log and cause the rest, so the
reactions have the ids that a replay derives. Times and ids are fixed, and the files are the same every time.
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
from minibus.core.event import Envelope, Event, complete
from minibus.core.replica import Replica

FOLDER = Path(__file__).parent
SERVICES = (posts.service, comments.service, query.service, moderation.service)
BEGIN = datetime.fromisoformat("2026-03-02T09:00:00Z")
BETWEEN_ACTS, BETWEEN_EVENTS = timedelta(seconds=41), timedelta(milliseconds=7)
LONG = int(os.environ.get("LONG", "100000"))  # events

Notes = Iterator[str | None]


class Story:
    """A log that grows act by act. The notes of an act go to its events, one after the other; None: no note."""

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.events: list[Envelope] = []
        self.clock = BEGIN
        self.away: set[str] = set()
        self.replicas = {one.name: Replica(one.name, one.handlers, one.empty) for one in SERVICES}

    def post(self, title: str, *notes: str | None) -> str:
        """Let somebody write a post; return its id."""
        data = {"id": self._draw("post", title), "title": title}
        self._act("posts", Event("PostCreated", data), notes)
        return data["id"]

    def comment(self, post: str, content: str, *notes: str | None) -> None:
        """Let somebody comment on a post."""
        data = {"id": self._draw("comment", content), "content": content, "status": "pending", "postId": post}
        self._act("comments", Event("CommentCreated", data), notes)

    def leave(self, name: str) -> None:
        """Stop a service: it hears nothing from here on."""
        self.away.add(name)

    def come_back(self, name: str, *notes: str | None) -> None:
        """Start a service again: it is replayed, and says what it owes."""
        self.away.remove(name)
        self.clock += BETWEEN_ACTS
        self._settle(chain(notes, repeat(None)))

    def file(self) -> bytes:
        """Return the log as the bus imports it."""
        lines = [msgspec.json.encode(line) for line in (Header(FORMAT, len(self.events)), *self.events)]
        return b"\n".join(lines) + b"\n"

    def _act(self, service: str, event: Event, given: tuple[str | None, ...]) -> None:
        self.clock += BETWEEN_ACTS
        notes = chain(given, repeat(None))
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name} {len(self.events)}"))
        self._append({"id": identity, "source": f"/{service}", "type": event.type, "data": event.data}, notes)
        self._settle(notes)

    def _settle(self, notes: Notes) -> None:
        """Deliver to all who are there, and store what they say to it, until nobody has anything to say."""
        present = [replica for name, replica in self.replicas.items() if name not in self.away]
        while True:
            for replica in present:
                replica.receive(self.events[replica.position :])
            owed = [event for replica in present for event in replica.owed.values()]
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
        self.events.append(complete(attributes) | {"seq": len(self.events) + 1})

    def _draw(self, kind: str, text: str) -> str:
        """Draw an id as the services do, 8 hex characters and not digits alone, but the same ones every time."""
        drawn = hashlib.sha256(f"{self.name} {kind} {len(self.events)} {text}".encode()).hexdigest()
        while drawn[:8].isdigit():
            drawn = drawn[1:]
        return drawn[:8]


def happy_path() -> Story:
    """Everything is up: the chapter from its first post to its last verdict, in 60 events."""
    story = Story("happy-path", "The happy path: everybody is up, and every comment gets its verdict")
    bus = story.post(
        "We drew a bus on the whiteboard today. Everyone asked where the passengers sit.",
        "A reader wrote a post. posts published one event and knows nothing of who listens: step query and look.",
    )
    story.comment(
        bus,
        "The passengers are events. They all get off at every stop.",
        "A comment begins as pending. Three services hear of it, and each makes something else of it.",
        "moderation read it and publishes a verdict. It keeps nothing, and asks nobody.",
        "comments owns what a verdict means, and says it in one generic event. Only this one is query's business.",
    )
    story.comment(
        bus,
        "Ours is late. Is that what they call eventual consistency?",
        "Again: created, moderated, updated. Look at the causal chain: each event names the one that caused it.",
    )
    story.comment(
        bus, "Who drives it?", None, None, "Ask the class: who drives it? Nobody. Each service acts by itself."
    )
    lunch = story.post(
        "Lunch poll: soup or sandwiches? The kitchen listens to this blog, so choose your words.",
        "A second post, in the same log. One order for everything is what makes a replay simple.",
    )
    story.comment(lunch, "Soup. It is a pipeline of vegetables.")
    story.comment(
        lunch,
        "An orange would do for me, thank you.",
        "The word of the course is in this one. Before you step: who will notice, and who will not?",
        "Rejected. Other services may use this verdict in their own way; query is not one of them.",
        "Only now the page changes. Go back one event, and forward: that is the whole difference.",
    )
    story.comment(lunch, "Sandwiches: stateless, and easy to replicate.")
    crash = story.post(
        "I pulled the plug of a running service in front of my class. Nobody breathed for four seconds.",
        "What happens if query stops here? Try it in the story query-was-down.",
    )
    story.comment(crash, "What did it remember when it came back?")
    story.comment(crash, "Nothing, and then everything. It read the log from the beginning.")
    story.comment(
        crash,
        "My class clapped. I had practised for an hour.",
        None,
        None,
        "Look back from here, to #10, to #21. A look folds the log once more, and touches nothing that runs.",
    )
    race = story.post(
        "Type fast: the first three comments win a sticker. Ready?", "Now several people at the same moment."
    )
    story.leave("moderation")
    story.comment(race, "First!", "The first of three, and moderation has not read it yet.")
    story.comment(race, "First! Oh. Second, then.", "The second is stored before the first is judged. That is allowed.")
    story.leave("comments")
    story.comment(
        race, "I brought an Orange for the winner.", "Three are pending. The log is in order; the verdicts will be."
    )
    story.come_back(
        "moderation",
        "Three verdicts in a row: moderation went through its part of the log, in the order of the log.",
        None,
        'A capital "Orange" is rejected as well. In the course\'s code it slips through.',
    )
    story.come_back("comments", "And three updates. Each comment found its verdict by its id, not by luck.")
    names = story.post(
        "Names we gave to our servers, and why none of them is called `server` any more.",
        "The same title twice would be two posts: an id is what makes a thing itself, not its text.",
    )
    story.comment(names, "Ours are cheeses. Gouda holds the log, and it has never lost a byte.")
    story.comment(names, "We use planets. There was a long talk about Pluto.")
    story.comment(names, "`final2` is still in production. It sends its regards.")
    thanks = story.post(
        "Last hour before the holidays: what will you still know in September?", "The last post of this story."
    )
    story.comment(thanks, "That a log is a list nobody may edit.")
    story.comment(thanks, "That down is not the same as gone.")
    story.comment(
        thanks,
        "That I should have stored the events from the start.",
        None,
        None,
        "The end. Send query back, minibus rewind query, and let it run: the same page, to the letter.",
    )
    return story


def query_was_down() -> Story:
    """The lesson of the chapter: query misses something, and gets it from the log."""
    story = Story("query-was-down", "query was down: what it missed waits for it in the log")
    first = story.post(
        "Rehearsal for tomorrow: will the projector find my laptop?",
        "All four are paused at 0. Step all of them along with the story: minibus step",
    )
    story.comment(
        first,
        "It found mine. It still shows my holiday.",
        None,
        None,
        "The page is complete. From here on query is down: leave it paused, and step the other three.",
    )
    story.leave("query")
    second = story.post(
        "Query is down, and nobody told the posts.",
        "Written while query is away. posts has it: minibus step posts comments moderation",
    )
    story.comment(
        second,
        "I can write this, although nobody can read it.",
        "Without query there is no page; without a page, still a comment.",
        None,
        "Judged and decided. Nobody waited for query, and nobody knows that it was away.",
    )
    story.comment(second, "Orange you glad that the log keeps everything?", None, "Rejected, unseen.")
    story.comment(
        first,
        "And a late one for the first post.",
        None,
        None,
        "Now let query come back: minibus resume query. It is replayed, and the page jumps to the end of the story.",
    )
    story.come_back("query")
    return story


def moderation_was_down() -> Story:
    """Comments wait for their verdict, and get it; in the course's version they would wait for ever."""
    story = Story("moderation-was-down", "moderation was down: comments wait for their verdict, and get it")
    post = story.post(
        "The moderator is at lunch. Behave.",
        "All is well still. Step all four: minibus step",
    )
    story.comment(post, "We always do.", None, "A verdict within milliseconds. From here on moderation is down.")
    story.leave("moderation")
    story.comment(
        post,
        "Is anybody reading this?",
        "It stays pending. Step posts, comments and query, not moderation: the page says that it waits.",
    )
    story.comment(post, "I will say orange, just to see what happens.", "So does this one, whatever is in it.")
    story.comment(post, "Nothing happens. How restful.", "Three wait. With the course's bus they would wait for ever.")
    story.come_back(
        "moderation",
        "moderation is back, was replayed, and owed three verdicts. The first of them.",
        "The one with the word in it: rejected, late, and just as surely.",
        "It judged the first comment again, too, in its replay: under the same id, which the log has.",
        "And comments says what the verdicts mean. Step query: the page catches up, line by line.",
    )
    return story


def rejected_comment() -> Story:
    """Two comments are rejected, and three services see three different things in that."""
    story = Story("rejected-comment", "A rejected comment: one fact, and what each service makes of it")
    post = story.post("What is in your fruit basket?", "A harmless question. Step all four: minibus step")
    story.comment(
        post,
        "Pears, and a banana that has seen better days.",
        "A comment as any other: pending.",
        "Approved: the word of the course is not in it.",
        "query takes over the status, and the page shows the text.",
    )
    story.comment(
        post,
        "One orange, on the left.",
        "The word is in this one. Its text is in the log for good: a log is not edited.",
        "moderation rejects it. It does not know what that means for readers, and need not.",
        "comments does, and says so. The page hides the text; the log, and query's state, still have it.",
    )
    story.comment(
        post,
        "A BLOOD ORANGE, to be exact.",
        "In capitals. The course's test would let it pass.",
        "Ours does not. The handler is one line: minibus walk moderation --step",
        "The end. What if nobody had written this? minibus diff query --without '8*'",
    )
    return story


def long() -> Story:
    """A log of 100,000 events, for looking back in a large one. It is made when it is needed."""
    story = Story("long", f"A long log: {LONG:,} events, to move back and forth in")
    places = ("Vienna", "Lisbon", "Oslo", "Kyoto", "Lima", "Accra", "Quito", "Hobart")
    fruits = ("pears", "plums", "an orange", "cherries", "figs", "quinces", "apples")
    note = "Far from either end. Look back to #10, and forward again: no longer than in a short log."
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
