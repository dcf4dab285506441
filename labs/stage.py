"""The stage of a lab: it tells what happens, waits for Enter, shows the log, and looks whether it is so."""

from __future__ import annotations

import shutil
import signal
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

from labs.line import Line
from labs.parts import let_the_course_play
from labs.system import SERVICES, Blog, eventually
from labs.terminal import forget_keys

PATIENCE = 20.0  # seconds until what should be so has to be so
WHILE = 1.0  # seconds after which what should stay has stayed
WIDTH = 80  # columns
PARTS = ("event-bus", *SERVICES)  # the page has no part in a lab

T = TypeVar("T")


class NotSo(Exception):
    """Something that the lab says is not so."""


class Stage:
    """What a lab plays on. Whatever it says has happened, it has looked at."""

    def __init__(self, console: Console, auto: bool = False) -> None:
        self.console = console
        self.auto = auto
        self.folder = Path(tempfile.mkdtemp(prefix="minibus-lab-"))
        self.blogs: list[Blog] = []
        self.lines: list[Line] = []
        self.others = ThreadPoolExecutor()
        self.faults = 0
        self.shown: dict[Blog, int] = {}

    # -- who plays ------------------------------------------------------------------------------------------------

    def blog(self, *course: str, **settings: str) -> Blog:
        """Make a blog for this act, not started yet, with the parts in `course` as the course has them."""
        blog = Blog(self.folder / str(len(self.blogs) + 1), None, **settings)
        blog.folder.mkdir()
        self.blogs.append(blog)
        for line in let_the_course_play(blog, course):
            self._mark("·", line, "dim")
        return blog

    def start(self, blog: Blog, *names: str) -> None:
        """Start these parts, or all; wait until the services have caught up."""
        names = names or PARTS
        self._mark("·", f"starting {', '.join(names)} …", "dim")
        blog.start(*names)
        services = [name for name in names if name in SERVICES]
        eventually(lambda: all(blog.answers(name, "/readyz") for name in services), PATIENCE)

    def line(self, url: str) -> Line:
        """Put a line that can break in front of a part."""
        self.lines.append(Line(url))
        return self.lines[-1]

    def later(self, call: Callable[[], T]) -> Future[T]:
        """Let somebody else do something meanwhile, who may have to wait."""
        return self.others.submit(call)

    # -- what is told ---------------------------------------------------------------------------------------------

    def act(self, title: str) -> None:
        """Begin an act; whatever the one before has started ends."""
        self._end_processes()
        self.console.print()
        self.console.rule(Text(title, "bold"), align="left", style="dim")

    def tell(self, text: str) -> None:
        """Say what comes next, and wait for Enter."""
        self.console.print()
        if self.auto:
            self._say(Text(text), Text("  "))
            return
        forget_keys()
        self._say(Text(text), Text("  "), "  ⏎ ")
        with suppress(EOFError):
            input()
        self.console.print()

    def sees(self, text: str, condition: Callable[[], T]) -> T:
        """Say what there is to be seen, once it is so. Raises `NotSo` when it is not."""
        found = self._await(text, condition)
        self._mark("→", text)
        return found

    def still(self, text: str, condition: Callable[[], bool]) -> None:
        """Say what stays as it is, once it has for a while. Raises `NotSo` when it does not."""
        begun = time.monotonic()
        while time.monotonic() < begun + WHILE:
            if not condition():
                raise NotSo(f"It should be so that {text}; it is not.")
            time.sleep(0.05)
        self._mark("→", text)

    def fault(self, text: str, condition: Callable[[], T]) -> None:
        """Say what has gone wrong on purpose, once it has. Raises `NotSo` when nothing has."""
        self._await(text, condition)
        self.faults += 1
        self._mark("↯", text, "yellow")

    def kill(self, blog: Blog, name: str) -> None:
        """Kill a part in the middle of whatever it does."""
        process = blog.processes[name]
        blog.kill(name)
        self.fault(f"{name} is dead (SIGKILL)", lambda: process.poll() == -signal.SIGKILL)

    def freeze(self, blog: Blog, name: str) -> None:
        """Freeze a part: it keeps its port and its connections, and does nothing."""
        blog.freeze(name)
        process = psutil.Process(blog.processes[name].pid)
        everybody = [process, *process.children(recursive=True)]
        self.fault(
            f"{name} is frozen (SIGSTOP)", lambda: all(one.status() == psutil.STATUS_STOPPED for one in everybody)
        )

    def log(self, blog: Blog) -> None:
        """Show what is new in the log."""
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
        """Show what readers see."""
        for post in blog.get("query", "/posts").values():
            self.console.print(Text("      │ ").append(clean(post["title"]), "bold"))
            for comment in post["comments"]:
                self.console.print(Text("      │    ").append(facts(comment)))

    def end(self, verdict: str, blog: Blog, look: str, **moment: Any) -> None:
        """Say what was shown, and keep the console of this blog open at a moment until Enter. Raises `NotSo`."""
        if not self.faults:
            raise NotSo("Nothing went wrong in this lab, so it has shown nothing.")
        self._judge("✓", verdict, "green")
        address = f"{blog.url('event-bus')}/#" + "&".join(f"{name}={value}" for name, value in moment.items())
        eventually(lambda: request("GET", address, timeout=2).ok, PATIENCE)
        self._say(Text(f"In the console, {look}:"), Text("  "))
        self.console.print(f"  {address}", soft_wrap=True)
        self.tell("The lab's own blog runs until you press Enter.")

    def fail(self, why: str) -> None:
        """Say what was not so."""
        self._judge("✗", why, "red")

    def _judge(self, mark: str, text: str, style: str) -> None:
        self.console.print()
        self.console.rule(style="dim")
        self._say(Text(text), Text(f"{mark} ", f"bold {style}"))
        self.console.print()

    def _mark(self, mark: str, text: str, style: str = "") -> None:
        self._say(Text(text), Text("    ").append(f"{mark} ", style))

    def _say(self, text: Text, head: Text, tail: str = "") -> None:
        """Print a text behind a head; where it needs several lines, all begin below the first."""
        lines = Text.wrap(text, self.console, WIDTH - head.cell_len - len(tail))
        for line in lines:
            line.rstrip()
        said = Text("\n" + " " * head.cell_len).join(lines)
        self.console.print(head + said.append(tail, "dim"), end="" if tail else "\n")

    def _await(self, text: str, condition: Callable[[], T]) -> T:
        try:
            return eventually(condition, PATIENCE)
        except AssertionError as error:
            raise NotSo(f"It should be so that {text}; {error}.") from error

    # -- and how it ends ------------------------------------------------------------------------------------------

    def _end_processes(self) -> None:
        for blog in self.blogs:
            blog.close()
        for line in self.lines:
            line.close()
        self.lines.clear()

    def close(self) -> None:
        """End everything that was started, also what a Ctrl-C came too early for."""
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
        self._end_processes()
        self.others.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self.folder, ignore_errors=True)
