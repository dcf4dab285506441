"""Run a script on real processes: people write, parts break and return; at rest, the result is judged."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import singledispatchmethod
from pathlib import Path
from typing import Any

import requests
from minibus.core.event import Envelope

from harness.waiting import eventually
from infra.parts import SERVICES
from tests.chaos import commands
from tests.chaos.checkers import Evidence, judge
from tests.chaos.commands import BUS, PARTS, Command, Script, spare_the_bus
from tests.chaos.forked_blog import ForkedBlog
from tests.chaos.line import Line
from tests.chaos.people import People

BACK = 60.0  # seconds until everything has to be back, on a busy machine
GLANCE = 0.1  # seconds between two looks
STILL = 20.0  # seconds without any change after which nothing will come any more
NEVER_STILL = 4.0  # a broken build may never come to rest
CONTROL = 2.0  # seconds for an instructor's request; it may fail


@dataclass
class Outcome:
    """How a run ended: what was wrong, how often each fault was seen, and when (time, fault, where)."""

    wrong: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    happened: list[tuple[str, str, str]] = field(default_factory=list)
    log: list[Envelope] = field(default_factory=list)
    acknowledged: int = 0  # events
    found: int = 0  # of these, in the log once
    seconds: float = 0.0


class Machine:
    """A blog, the lines between its parts, and a crowd. Used for one script after the other."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder = folder
        self.blog = ForkedBlog(folder, ports)
        self.handling = threading.RLock()  # held while a part is started or ended
        self.coming_back: list[threading.Timer] = []
        self.outcome = Outcome()
        self.lines = {
            name: Line(name, self.blog.url(BUS), self.saw, self.kill, self.wal)
            for name in ("people to bus", *(f"{service} to bus" for service in SERVICES))
        }
        for service in SERVICES:
            name = f"bus to {service}"
            self.lines[name] = Line(name, self.blog.url(service), self.saw, self.kill, self.wal)
        self.blog.bus_seen_by = {service: self.lines[f"{service} to bus"].url for service in SERVICES}
        self.blog.reached_at = {service: self.lines[f"bus to {service}"].url for service in SERVICES}

    def wal(self) -> Path:
        """Return the write-ahead log of the bus's database."""
        return self.blog.folder / "data" / "events.db-wal"

    def close(self) -> None:
        """End everything."""
        for line in self.lines.values():
            line.close()
        self.blog.close()

    # -- one run ----------------------------------------------------------------------------------------------------

    def run(self, script: Script, settings: dict[str, str]) -> Outcome:
        """Run a script on a new log, with these settings, and judge the result."""
        begun = time.monotonic()
        self.blog.settings = settings
        self.still = NEVER_STILL if settings.get("MUTANT") else STILL
        if settings.get("EVENT_STORE") == "memory":
            script = spare_the_bus(script)  # it keeps its promises while it runs
        self.outcome = Outcome()
        self.people = People(self.blog.url, self.lines["people to bus"].url)
        try:
            self.begin_anew()
            for command in script:
                self.do(command)
                time.sleep(command.pause / 1000)
            self.outcome.wrong += self.bring_everything_back()
            self.outcome.wrong += self.look()
        except (AssertionError, requests.RequestException) as error:
            self.outcome.wrong.append(f"everything is there again: {error}")
        finally:
            self.stop_faults()
            self.people.go_home()
            self.blog.close()
        self.outcome.seconds = time.monotonic() - begun
        return self.outcome

    def begin_anew(self) -> None:
        """Start all parts on an empty log, and write a first post."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in PARTS:
            self.blog.spawn(name)
        eventually(lambda: all(self.blog.answers(name, "/readyz") for name in SERVICES), BACK)
        self.people.write_post()
        self.people.finish()

    def saw(self, fault: str, where: str) -> None:
        """Remember that a fault has happened just now."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.outcome.seen[fault] += 1
        self.outcome.happened.append((now, fault, where))

    def stop_faults(self) -> None:
        """Disarm every line, and wait for what is on its way back."""
        for line in self.lines.values():
            line.calm()
        while self.coming_back:
            self.coming_back.pop().join()

    def bring_everything_back(self) -> list[str]:
        """Stop all faults, and wait until the blog is at rest; return what is wrong."""
        self.stop_faults()
        with self.handling:
            ended = [f"no part ends by itself: {name} did" for name in self.blog.processes if not self.blog.runs(name)]
        for name in PARTS:
            self.start(name)
        self.people.finish()
        eventually(self.all_are_resumed, BACK)
        return [*ended, *self.wait_for_rest()]

    def wait_for_rest(self) -> list[str]:
        """Wait until all is quiet; return what is not when nothing has changed for a long time."""
        picture: Any = None
        changed = time.monotonic()
        while time.monotonic() < changed + self.still:
            with suppress(requests.RequestException):
                before, picture = picture, self.picture()
                if is_quiet(*picture):
                    return []
                if picture != before:
                    changed = time.monotonic()
            time.sleep(GLANCE)
        return [f"everything comes to rest: nothing has changed for {self.still} s, with {picture}"]

    def all_are_resumed(self) -> bool:
        """Resume every paused subscriber; return whether none was paused."""
        paused = [name for name, one in self.blog.get(BUS, "/subscribers").items() if one["paused"]]
        for name in paused:
            self.blog.send(BUS, f"/subscribers/{name}", {"paused": False}, "PATCH")
        return not paused and set(self.blog.get(BUS, "/subscribers")) == set(SERVICES)

    def picture(self) -> tuple[dict[str, int], dict[str, tuple[str, int, int]]]:
        """Return how many events there are of each type, and each subscriber's state, position, and its own word."""
        subscribers = self.blog.get(BUS, "/subscribers")
        places = {
            name: (one["state"], one["position"], self.blog.get(name, "/state")["at"])
            for name, one in subscribers.items()
        }
        return Counter(event["type"] for event in self.blog.events()), places

    def look(self) -> list[str]:
        """Gather log, states and page, and judge them."""
        states = {name: self.blog.get(name, "/state") for name in SERVICES}
        evidence = Evidence(self.people.deeds, self.blog.events(), states, self.blog.get("query", "/posts"))
        acknowledged = [mark for deed in evidence.deeds if deed.outcome == "acknowledged" for mark in deed.marks]
        self.outcome.acknowledged = len(acknowledged)
        self.outcome.found = sum(len(evidence.numbers(mark)) == 1 for mark in acknowledged)
        self.outcome.log = evidence.log
        self.outcome.seen["event parked"] += sum(len(state["skipped"]) for state in states.values())
        return judge(evidence)

    # -- processes --------------------------------------------------------------------------------------------------

    def kill(self, name: str, away: int, number: signal.Signals = signal.SIGKILL) -> bool:
        """End a part, and start it again `away` milliseconds later; return whether there was anything to end."""
        with self.handling:
            if name not in self.blog.processes:
                return False
            self.blog.end_part(name, number)
            self.saw("kill" if number == signal.SIGKILL else "stop", name)
            self.later(away, self.start, name)
            return True

    def start(self, name: str) -> None:
        """Start a part if it does not run."""
        with self.handling:
            if not self.blog.runs(name):
                self.blog.spawn(name)

    def thaw(self, name: str) -> None:
        """Continue a frozen part."""
        with self.handling:
            if name in self.blog.processes:
                self.blog.signal_part(name, signal.SIGCONT)

    def later(self, milliseconds: int, act: Any, name: str) -> None:
        """Do this to a part in a while."""
        timer = threading.Timer(milliseconds / 1000, act, [name])
        timer.start()
        self.coming_back.append(timer)

    # -- commands ---------------------------------------------------------------------------------------------------

    @singledispatchmethod
    def do(self, command: Command) -> None:
        """Carry out a command."""
        raise NotImplementedError(command)

    @do.register
    def _(self, command: commands.Post) -> None:
        self.people.write_post()

    @do.register
    def _(self, command: commands.Comment) -> None:
        self.people.write_comment(command.post, command.orange)

    @do.register
    def _(self, command: commands.Publish) -> None:
        self.people.publish(command.comments, command.again)

    @do.register
    def _(self, command: commands.Misfit) -> None:
        self.people.publish_misfit()

    @do.register
    def _(self, command: commands.Kill) -> None:
        self.kill(command.part, command.away, signal.SIGTERM if command.gently else signal.SIGKILL)

    @do.register
    def _(self, command: commands.Freeze) -> None:
        with self.handling:
            if command.part in self.blog.processes:
                self.blog.signal_part(command.part, signal.SIGSTOP)
                self.saw("freeze", command.part)
                self.later(command.still, self.thaw, command.part)

    @do.register
    def _(self, command: commands.Fault) -> None:
        self.lines[command.line].arm(command)

    @do.register
    def _(self, command: commands.Pause) -> None:
        self.ask("pause", "PATCH", command.subscriber, "", {"paused": True})

    @do.register
    def _(self, command: commands.Resume) -> None:
        self.ask("resume", "PATCH", command.subscriber, "", {"paused": False})

    @do.register
    def _(self, command: commands.Step) -> None:
        self.ask("pause", "PATCH", command.subscriber, "", {"paused": True})
        self.ask("step", "POST", command.subscriber, "/step", {"count": command.count})

    @do.register
    def _(self, command: commands.Rewind) -> None:
        with suppress(requests.RequestException):
            head = len(self.blog.events())
            self.ask("rewind", "POST", command.subscriber, "/rewind", {"to": head * command.percent // 100})

    def ask(self, what: str, method: str, subscriber: str, path: str, body: dict[str, Any]) -> None:
        """Ask the bus to control a subscriber; it may be away, or refuse."""
        url = f"{self.blog.url(BUS)}/subscribers/{subscriber}{path}"
        with suppress(requests.RequestException):
            if requests.request(method, url, json=body, timeout=CONTROL).ok:
                self.saw(what, subscriber)


def is_quiet(counts: dict[str, int], subscribers: dict[str, tuple[str, int, int]]) -> bool:
    """Tell whether every subscriber has applied the whole log, and no reaction is owed."""
    head = sum(counts.values())
    heard = all(place == ("live", head, head) for place in subscribers.values())
    return heard and counts["CommentCreated"] <= counts["CommentModerated"] <= counts["CommentUpdated"]
