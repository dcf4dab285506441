"""Every lab as CI plays it: real processes, real faults, and a verdict."""

from __future__ import annotations

import html
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psutil
import pytest

from harness.course.parts import IN_PYTHON
from harness.waiting import PATIENCE, eventually
from infra.parts import ROOT
from labs.__main__ import LABS
from tests.support.mixed import install_express

AT_ONCE = 3  # labs: most of their time is waiting

pytestmark = pytest.mark.timeout(300)

# lab → a patch that prevents its fault or breaks its promise, and the text of the failure.
SABOTAGE = {
    "lost-without-a-store": ("Blog.kill = lambda *_: None", "query is dead (SIGKILL)"),
    "slow-subscriber": ("Blog.freeze = lambda *_: None", "query is frozen (SIGSTOP)"),
    "moderated-later": ("Line.lose = lambda *_: None", "its verdict is lost"),
    "delivered-twice": ("Line.lose_an_answer = lambda *_: None", "comments did not get the answer"),
    "the-bus-remembers": ("Blog.settings = property(lambda _: FORGETFUL, lambda *_: None)", "the bus has every one"),
    "pending-for-ever": ("Stage.kill = lambda _, blog, name: blog.kill(name)", "No fault happened in this lab"),
}
SABOTEUR = """
import sys
import labs.stage
from labs.__main__ import main
from labs.line import Line
from labs.stage import Stage
from harness.blog import Blog
FORGETFUL = {"EVENT_STORE": "memory", "SUBSCRIBERS": ""}
labs.stage.PATIENCE = 3
"""

Played = subprocess.CompletedProcess[str]


def play(name: str, sabotage: str, setting: str) -> Played:
    """Play a lab to its end, as `make lab` does, but without waiting for Enter."""
    program = ["-c", f"{SABOTEUR}{sabotage}\nsys.exit(main())"] if sabotage else ["-m", "labs"]
    return subprocess.run(
        [sys.executable, *program, name, "--auto"],
        check=False, cwd=ROOT, env=os.environ | dict([setting.split("=")] if setting else []), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


class Playing:
    """Labs under way, each once, some at a time."""

    def __init__(self, stages: ThreadPoolExecutor) -> None:
        self.stages = stages
        self.labs: dict[tuple[str, str, str], Future[Played]] = {}

    def begin(self, name: str, sabotage: str = "", setting: str = "") -> Future[Played]:
        """Play this lab, if it is not played already."""
        asked = (name, sabotage, setting)
        if asked not in self.labs:
            self.labs[asked] = self.stages.submit(play, *asked)
        return self.labs[asked]


@pytest.fixture(scope="module")
def playing(request: pytest.FixtureRequest) -> Iterator[Playing]:
    """Begin with all the labs that are asked for; in CI the course's way is the course's."""
    if os.environ.get("CI") == "true":
        install_express()
    tests: list[Any] = [item for item in request.session.items if item.path == request.path]
    with ThreadPoolExecutor(AT_ONCE) as stages:
        playing = Playing(stages)
        for asked in [test.callspec.params for test in tests if hasattr(test, "callspec")]:
            if "name" in asked:
                playing.begin(asked["name"], asked.get("sabotage", ""), asked.get("setting", ""))
        yield playing


@pytest.mark.parametrize("name", LABS)
def test_a_lab_keeps_its_promise(playing: Playing, name: str, record_property: Callable[[str, str], None]) -> None:
    played = playing.begin(name).result()

    record_property("transcript", played.stdout)
    assert played.returncode == 0, played.stdout
    assert "↯" in played.stdout
    assert "\n✓ " in played.stdout
    assert max(map(len, played.stdout.splitlines())) <= 80


@pytest.mark.parametrize("setting", ["LABS_IN_PYTHON=1"])
@pytest.mark.parametrize(
    ("name", "parts"), [("delivered-twice", ("event-bus", "query")), ("poison-event", ("moderation",))]
)
def test_without_express_a_lab_says_that_python_plays_it(
    playing: Playing, name: str, parts: tuple[str, ...], setting: str
) -> None:
    played = playing.begin(name, setting=setting).result()

    assert played.returncode == 0, played.stdout
    assert "Express is not installed: Python versions run instead." in " ".join(played.stdout.split())
    for part in parts:
        assert f"{part} as in the course: harness/course/{IN_PYTHON.get(part, part)}.py (Python)" in played.stdout


@pytest.mark.parametrize(
    ("name", "sabotage", "complaint"), [(name, *what) for name, what in SABOTAGE.items()], ids=list(SABOTAGE)
)
def test_a_lab_without_its_fault_or_its_promise_fails(
    playing: Playing, name: str, sabotage: str, complaint: str
) -> None:
    played = playing.begin(name, sabotage).result()

    assert played.returncode == 1, played.stdout
    _, _, verdict = played.stdout.partition("\n✗ ")
    assert complaint in " ".join(verdict.split())


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "starting event-bus"),
        (signal.SIGINT, "⏎"),
        (signal.SIGINT, "moderation is dead"),
        (signal.SIGTERM, "⏎"),
        (signal.SIGHUP, "⏎"),
    ],
)
def test_ctrl_c_and_its_like_end_everything_at_any_moment(number: signal.Signals, moment: str) -> None:
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "labs", "poison-event"],
        cwd=ROOT, env={**os.environ, "LABS_IN_PYTHON": "1"}, stdin=end, stdout=end, stderr=end, start_new_session=True,
    ) as lab:  # fmt: skip
        os.close(end)
        said, enters = b"", 0
        while moment.encode() not in said:
            said += os.read(terminal, 1000)
            if said.count("⏎".encode()) > enters:
                enters += 1
                os.write(terminal, b"\n")
        started = psutil.Process(lab.pid).children(recursive=True)

        lab.send_signal(number)

        try:
            assert lab.wait(PATIENCE) == 130
            eventually(lambda: not any(process.is_running() for process in started))
        finally:
            # What a failed lab leaves running would register at the bus of a later test.
            lab.kill()
            for process in started:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
    os.close(terminal)


def test_the_picture_of_a_lab_shows_what_it_says(playing: Playing) -> None:
    picture = html.unescape((ROOT / "docs" / "lab.svg").read_text())
    [lab] = re.findall(r"make\slab\sLAB=([a-z-]+)", picture)

    shown = re.findall(r"<text [^>]*clip-path[^>]*>(.*?)</text>", picture, re.DOTALL)

    # Each of its texts is of one style: words are compared, and a port is a port.
    assert words("".join(shown)) == words(playing.begin(lab).result().stdout)


def words(text: str) -> str:
    """Return a text without its spaces, lines and ports."""
    return re.sub(r"\s|127\.0\.0\.1:\d+", "", text)


def test_make_lab_lists_them_all() -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKELEVEL", "MAKEFLAGS")}
    said = subprocess.run(
        ["make", "--old-file=.venv/run", "lab"], check=True, cwd=ROOT, env=inherited, capture_output=True, text=True
    ).stdout

    files = {path.stem.replace("_", "-") for path in (ROOT / "labs").glob("*.py") if "def play(" in path.read_text()}
    assert files == set(LABS)
    assert [line.split()[0] for line in said.splitlines()[1:-2]] == list(LABS)
    assert max(map(len, said.splitlines())) <= 80
