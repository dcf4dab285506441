"""What the Makefile promises, in a fresh copy of this folder, on the ports that a class uses."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from harness.waiting import PATIENCE, eventually
from infra.parts import PORTS, is_taken, url
from tests.support.lent import lend_environment
from tests.support.machine import need_course_ports

ROOT = Path(__file__).parents[2]
READY = "The logs of the services"
NOT_COPIED = shutil.ignore_patterns(".*", "data", "run", "node_modules", "__pycache__")


@pytest.fixture(scope="module", autouse=True)
def _the_ports_are_free() -> None:
    need_course_ports()


class Copy:
    """A fresh copy of this folder, so deep and so named that socket paths and quoting are put to the test."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "Jane's folder, with spaces as on many a laptop" / ("deep" * 15) / "minibus"
        shutil.copytree(ROOT, self.root, ignore=NOT_COPIED)
        lend_environment(self.root)
        # The copy's make is not a child of the make that runs these tests.
        self.environment = {name: text for name, text in os.environ.items() if name not in ("MAKELEVEL", "MAKEFLAGS")}
        self.output = self.root / "up.txt"

    def command(self, *arguments: str) -> list[str]:
        return ["make", *arguments]

    def make(self, *arguments: str, answer: str = "", **settings: str) -> str:
        """Run make to its end; return what it says."""
        done = subprocess.run(
            self.command(*arguments),
            check=False, cwd=self.root, env=self.environment | settings, input=answer, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.stdout

    @contextmanager
    def up(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run `make up`, or another start, as a terminal does, until it is ready; end it and all its kin."""
        with self.output.open("wb") as output:
            terminal = subprocess.Popen(
                self.command(*(arguments or ["up"])),
                cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        try:
            eventually(lambda: READY in self.said() or terminal.poll() is not None, seconds=90)
            assert terminal.poll() is None, self.said()
            yield terminal
        finally:
            self.make("down")
            terminal.wait(PATIENCE)

    def said(self) -> str:
        """Return what `make up` has printed."""
        return self.output.read_text()

    def master(self, part: str) -> int | None:
        """Return the pid of the process that the process manager keeps for this part."""
        manager = psutil.Process(int((self.root / "run" / "supervisord.pid").read_text()))
        for process in manager.children():
            with suppress(psutil.Error):
                if f"minibus-{part}" in process.cmdline():
                    return process.pid
        return None

    def processes(self) -> list[psutil.Process]:
        """Return every process that runs in this folder, zombies aside."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.cmdline() and Path(process.cwd()).is_relative_to(self.root):
                    found.append(process)
        return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="class")
def running(copy: Copy) -> Iterator[Copy]:
    with copy.up():
        yield copy


@pytest.fixture
def minibus(running: Copy) -> Copy:
    """The running blog, with every part in place."""
    eventually(lambda: all(requests.get(f"{url(part)}/healthz", timeout=PATIENCE).ok for part in PORTS))
    return running


def write_post(title: str) -> str:
    answer = requests.post(f"{url('posts')}/posts/create", json={"title": title}, timeout=PATIENCE)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def get(part: str, path: str) -> Any:
    return requests.get(url(part) + path, timeout=PATIENCE).json()


# -- while nothing runs --------------------------------------------------------------------------------------------


def test_make_alone_lists_every_target(copy: Copy) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))

    listed = {line.split()[0]: line.split(maxsplit=1)[1] for line in copy.make().splitlines()}

    assert set(listed) == targets
    assert "make stop SERVICE=query" in listed["stop"]


@pytest.mark.parametrize("target", ["stop", "start", "restart", "logs"])
def test_a_missing_or_unknown_service_gets_one_line_with_those_there_are(copy: Copy, target: str) -> None:
    for arguments in ([target], [target, "SERVICE=qeury"], [target, "SERVICE=query qeury"]):
        [line] = copy.make(*arguments).splitlines()

        assert all(part in line for part in PORTS)


def test_with_nothing_running_each_command_says_so(copy: Copy) -> None:
    assert copy.make("down") == "Nothing was running.\n"
    for arguments in (["status"], ["stop", "SERVICE=query"], ["demo"]):
        assert "Start it with: make up" in copy.make(*arguments)


def test_a_part_without_its_settings_gets_one_line(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    project = copy.root / "blog" / "query" / "pyproject.toml"
    project.write_text(project.read_text().replace("port = 4002\n", ""))

    said = copy.make("up")

    assert "blog/query/pyproject.toml has no 'port'" in said
    assert "Traceback" not in said


def test_a_port_in_use_names_its_owner_and_nothing_starts(copy: Copy) -> None:
    with socket.create_server(("127.0.0.1", PORTS["query"])):
        said = copy.make("up")

    assert "Port 4002 (query) is in use by" in said
    assert psutil.Process().name() in said
    assert f"kill {os.getpid()}" in said
    assert not copy.processes()


def test_a_bus_that_refuses_its_store_says_why_and_everything_ends(copy: Copy) -> None:
    said = copy.make("up", EVENT_STORE="papyrus")

    assert "event-bus does not start" in said
    assert "EVENT_STORE is 'papyrus'" in said
    assert "Error 1" in said
    assert not copy.processes()


# -- while it runs: one blog for all these --------------------------------------------------------------------------


class TestWhileItRuns:
    def test_up_prints_both_addresses_and_they_answer(self, minibus: Copy) -> None:
        for part in ("client", "event-bus"):
            assert url(part) in minibus.said()
        assert requests.get(url("client"), timeout=PATIENCE).ok
        assert requests.get(f"{url('event-bus')}/events", timeout=PATIENCE).ok

    def test_a_second_up_says_that_it_runs_already(self, minibus: Copy) -> None:
        assert "Minibus is running already" in minibus.make("up")

    def test_a_service_that_was_stopped_catches_up(self, minibus: Copy) -> None:
        assert minibus.make("stop", "SERVICE=query") == "query is stopped\n"
        post = write_post("Written while query is stopped")
        assert not is_taken(PORTS["query"])

        assert minibus.make("start", "SERVICE=query") == "query is started\n"
        assert is_taken(PORTS["query"])

        eventually(lambda: post in get("query", "/posts"))

    def test_status_says_how_each_part_is(self, minibus: Copy) -> None:
        minibus.make("stop", "SERVICE=moderation")

        rows = {line.split()[0]: line for line in minibus.make("status").splitlines()}

        assert set(PORTS) < set(rows)
        assert "stopped" in rows["moderation"]
        assert re.search(r"running .*http://127\.0\.0\.1:4002 +live", rows["query"])
        minibus.make("start", "SERVICE=moderation")

    def test_restarting_the_bus_loses_nothing(self, minibus: Copy) -> None:
        write_post("Written before the bus restarts")
        before = get("event-bus", "/events")

        said = minibus.make("restart", "SERVICE=event-bus")

        assert said == "event-bus is stopped\nevent-bus is started\n"
        assert eventually(lambda: get("event-bus", "/events")) == before
        post = write_post("Written after")
        eventually(lambda: post in get("query", "/posts"))

    def test_a_killed_service_comes_back_by_itself(self, minibus: Copy) -> None:
        post, killed = write_post("Written before query is killed"), minibus.master("query")
        assert killed

        os.kill(killed, signal.SIGKILL)

        eventually(lambda: minibus.master("query") not in (None, killed))
        eventually(lambda: post in get("query", "/posts"))
        eventually(lambda: re.search("query +running", minibus.make("status")))

    def test_logs_follow_one_service(self, minibus: Copy) -> None:
        with subprocess.Popen(
            minibus.command("logs", "SERVICE=event-bus"),
            cwd=minibus.root, env=minibus.environment, stdout=subprocess.PIPE, text=True, start_new_session=True,
        ) as logs:  # fmt: skip
            assert logs.stdout
            assert logs.stdout.readline()
            write_post("Seen in the log")

            assert any("PostCreated from /posts" in line for line in logs.stdout)

            os.killpg(logs.pid, signal.SIGINT)
            assert "Traceback" not in logs.stdout.read()

    def test_the_demo_writes_its_texts_once(self, minibus: Copy) -> None:
        first, events = minibus.make("demo"), len(get("event-bus", "/events"))
        second = minibus.make("demo")

        assert "84 texts are new" in first
        assert "5 rejected" in first
        assert "pending" not in first
        assert "Nothing to add" in second
        assert len(get("event-bus", "/events")) == events

    def test_reset_explains_itself_while_the_blog_runs(self, minibus: Copy) -> None:
        assert "make down" in minibus.make("reset", answer="yes\n")
        assert get("query", "/posts")


def test_a_story_begins_anew_each_time_on_data_of_its_own_with_all_paused(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    [line] = [line for line in copy.make("story").splitlines() if line.startswith("query-was-down ")]
    title = line.partition(" ")[2].strip()

    for _ in range(2):
        with copy.up("story", "STORY=query-was-down"):
            assert title in copy.said()
            assert f"{url('event-bus')}/" in copy.said()
            standing = get("event-bus", "/subscribers").values()
            assert {(one["state"], one["position"], one["lag"]) for one in standing} == {("paused", 0, 14)}
            write_post("Written into the story")
            assert len(get("event-bus", "/events")) == 15

    assert [path.name for path in (copy.root / "data").iterdir()] == ["stories"]


def test_an_unknown_story_gets_one_line_with_those_there_are(copy: Copy) -> None:
    said = copy.make("story", "STORY=the-hobbit")

    assert "There is no story the-hobbit. There are: happy-path" in said
    assert not copy.processes()


# -- and how it ends ------------------------------------------------------------------------------------------------


def press_ctrl_c(copy: Copy, terminal: subprocess.Popen[bytes]) -> None:
    os.killpg(terminal.pid, signal.SIGINT)


def terminate(copy: Copy, terminal: subprocess.Popen[bytes]) -> None:
    terminal.terminate()


def close_the_terminal(copy: Copy, terminal: subprocess.Popen[bytes]) -> None:
    os.killpg(terminal.pid, signal.SIGHUP)


def make_down(copy: Copy, terminal: subprocess.Popen[bytes]) -> None:
    assert copy.make("down") == "Everything is stopped.\n"


def kill_up_and_make_down(copy: Copy, terminal: subprocess.Popen[bytes]) -> None:
    os.killpg(terminal.pid, signal.SIGKILL)
    assert copy.make("down") == "Everything is stopped.\n"


@pytest.mark.parametrize("end", [press_ctrl_c, terminate, close_the_terminal, make_down, kill_up_and_make_down])
def test_everything_ends_although_a_page_listens(
    tmp_path: Path, end: Callable[[Copy, subprocess.Popen[bytes]], None]
) -> None:
    copy = Copy(tmp_path)
    with copy.up() as terminal, requests.get(f"{url('query')}/posts/stream", stream=True, timeout=PATIENCE) as page:
        assert next(page.iter_lines())

        end(copy, terminal)

        eventually(lambda: terminal.poll() is not None and not copy.processes())
        assert not [port for port in PORTS.values() if is_taken(port)]


def test_reset_asks_before_it_empties_the_data(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    (copy.root / "data").mkdir()
    log, note = copy.root / "data" / "events.db", copy.root / "data" / "a note.txt"
    log.touch()
    note.touch()

    assert "Nothing is deleted" in copy.make("reset", answer="no\n")
    assert "Nothing is deleted" in copy.make("reset")
    assert log.exists()
    assert "The log is empty" in copy.make("reset", answer="yes\n")
    assert not log.exists()
    assert note.exists()
