"""What a lab runs on: it prints each step, waits for Enter, breaks parts, and checks what the lab claims."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
from minibus.bus.session import request
from minibus.cli.terminal import clean, facts
from rich.console import Console
from rich.text import Text

from harness.blog import Blog
from harness.course.parts import use_course_parts
from harness.terminal import forget_keys
from harness.waiting import eventually
from infra.parts import SERVICES
from labs.line import Line

PATIENCE = 20.0  # seconds within which an expected state has to appear
WHILE = 1.0  # seconds for which an unchanged state is watched
WIDTH = 80  # columns
PARTS = ("event-bus", *SERVICES)  # a lab needs no client

T = TypeVar("T")


class NotAsExpected(Exception):
    """The lab's processes are not in the state that the lab claims."""


class Stage:
    """Prints the steps of a lab and runs its processes. It prints a claim only after checking it."""

    def __init__(self, console: Console, auto: bool = False) -> None:
        self.console = console
        self.auto = auto
        self.folder = Path(tempfile.mkdtemp(prefix="minibus-lab-"))
        self.blogs: list[Blog] = []
        self.lines: list[Line] = []
        self.others = ThreadPoolExecutor()
        self.faults = 0
        self.shown: dict[Blog, int] = {}

    # -- the parts ------------------------------------------------------------------------------------------------

    def blog(self, *course: str, **settings: str) -> Blog:
        """Make a blog for this act, without starting it. The parts named in `course` are of the course's kind."""
        blog = Blog(self.folder / str(len(self.blogs) + 1), **settings)
        blog.folder.mkdir()
        self.blogs.append(blog)
        for line in use_course_parts(blog, course):
            self._mark("·", line, "dim")
        return blog

    def start(self, blog: Blog, *names: str) -> None:
        """Start these parts, or all of them, and wait until the services have caught up."""
        names = names or PARTS
        self._mark("·", f"starting {', '.join(names)} …", "dim")
        blog.start(*names)
        services = [name for name in names if name in SERVICES]
        eventually(lambda: all(blog.answers(name, "/readyz") for name in services), PATIENCE)

    def line(self, url: str) -> Line:
        """Put a line that can be broken in front of the part at `url`."""
        self.lines.append(Line(url))
        return self.lines[-1]

    def later(self, call: Callable[[], T]) -> Future[T]:
        """Run a call that may block in another thread; return its future result."""
        return self.others.submit(call)

    # -- the steps ------------------------------------------------------------------------------------------------

    def act(self, title: str) -> None:
        """End the processes of the act before, and print the title of this act."""
        self._end_processes()
        self.console.print()
        self.console.rule(Text(title, "bold"), align="left", style="dim")

    def explain(self, text: str) -> None:
        """Print what happens next, and wait for Enter."""
        self.console.print()
        if self.auto:
            self._say(Text(text), Text("  "))
            return
        forget_keys()
        self._say(Text(text), Text("  "), "  ⏎ ")
        # Not input(): it drops a Ctrl-C that arrives while it flushes the prompt.
        sys.stdin.readline()
        self.console.print()

    def sees(self, text: str, condition: Callable[[], T]) -> T:
        """Wait until a condition holds, then print its text. Raises `NotAsExpected` if it never does."""
        found = self._await(text, condition)
        self._mark("→", text)
        return found

    def still(self, text: str, condition: Callable[[], bool]) -> None:
        """Watch a condition hold for a while, then print its text. Raises `NotAsExpected` if it stops holding."""
        begun = time.monotonic()
        while time.monotonic() < begun + WHILE:
            if not condition():
                raise NotAsExpected(f"Expected for {WHILE:g} s: {text}. Found: it changed.")
            time.sleep(0.05)
        self._mark("→", text)

    def fault(self, text: str, condition: Callable[[], T]) -> None:
        """Wait until a fault has happened, then print its text. Raises `NotAsExpected` if it does not happen."""
        self._await(text, condition)
        self.faults += 1
        self._mark("↯", text, "yellow")

    def kill(self, blog: Blog, name: str) -> None:
        """Kill a part with SIGKILL, in the middle of its work."""
        process = blog.processes[name]
        blog.kill(name)
        self.fault(f"{name} is dead (SIGKILL)", lambda: process.poll() == -signal.SIGKILL)

    def freeze(self, blog: Blog, name: str) -> None:
        """Freeze a part with SIGSTOP: it keeps its port and its connections, and does nothing."""
        blog.freeze(name)
        process = psutil.Process(blog.processes[name].pid)
        processes = [process, *process.children(recursive=True)]
        self.fault(
            f"{name} is frozen (SIGSTOP)", lambda: all(one.status() == psutil.STATUS_STOPPED for one in processes)
        )

    def log(self, blog: Blog) -> None:
        """Print the events that the log has gained since the last call."""
        events = list(enumerate(blog.events(), 1))
        seen = self.shown.get(blog, 0)
        for number, event in events[seen if seen < len(events) else 0 :]:
            row = Text().append(f"#{event.get('seq', number):<4}", "dim").append(f"{clean(event['type']):<18}")
            if source := event.get("source"):
                row.append(f"{clean(source).removeprefix('/'):<12}", "dim")
            row.append(facts(event.get("data"), room=WIDTH - 6 - row.cell_len))
            self.console.print(Text(" " * 6).append(row))
        self.shown[blog] = len(events)

    def page(self, blog: Blog) -> None:
        """Print the posts and comments that readers see."""
        for post in blog.get("query", "/posts").values():
            self.console.print(Text("      │ ").append(clean(post["title"]), "bold"))
            for comment in post["comments"]:
                self.console.print(Text("      │    ").append(facts(comment)))

    def end(self, verdict: str, blog: Blog, look: str, **moment: Any) -> None:
        """Print the verdict, and keep this blog's console open at a moment until Enter. Raises `NotAsExpected`."""
        if not self.faults:
            raise NotAsExpected("No fault happened in this lab, so it proves nothing.")
        self._judge("✓", verdict, "green")
        address = f"{blog.url('event-bus')}/#" + "&".join(f"{name}={value}" for name, value in moment.items())
        eventually(lambda: request("GET", address, timeout=2).ok, PATIENCE)
        self._say(Text(f"In the console, {look}:"), Text("  "))
        self.console.print(f"  {address}", soft_wrap=True)
        self.explain("The lab's own blog runs until you press Enter.")

    def fail(self, why: str) -> None:
        """Print why the lab failed."""
        self._judge("✗", why, "red")

    def _judge(self, mark: str, text: str, style: str) -> None:
        self.console.print()
        self.console.rule(style="dim")
        self._say(Text(text), Text(f"{mark} ", f"bold {style}"))
        self.console.print()

    def _mark(self, mark: str, text: str, style: str = "") -> None:
        self._say(Text(text), Text("    ").append(f"{mark} ", style))

    def _say(self, text: Text, head: Text, tail: str = "") -> None:
        """Print a text behind a head; if the text needs several lines, align them with the first."""
        lines = Text.wrap(text, self.console, WIDTH - head.cell_len - len(tail))
        for line in lines:
            line.rstrip()
        said = Text("\n" + " " * head.cell_len).join(lines)
        self.console.print(head + said.append(tail, "dim"), end="" if tail else "\n")

    def _await(self, text: str, condition: Callable[[], T]) -> T:
        try:
            return eventually(condition, PATIENCE)
        except AssertionError as error:
            raise NotAsExpected(f"Expected: {text}. Found: {error}.") from error

    # -- the end --------------------------------------------------------------------------------------------------

    def _end_processes(self) -> None:
        for blog in self.blogs:
            blog.close()
        for line in self.lines:
            line.close()
        self.lines.clear()

    def close(self) -> None:
        """End every process that the lab started, even one whose start a Ctrl-C interrupted."""
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
        self._end_processes()
        self.others.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self.folder, ignore_errors=True)
