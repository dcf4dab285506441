"""`minibus`, the bus in a terminal, on real processes: its output for scripts and people, and its exit codes.

The proof of pages runs the commands of its page, docs/reference/cli.md.
`REWRITE=1 pytest -n 0 tests/system/test_cli.py -k transcript` rewrites the long transcript; read it before you commit.
"""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import termios
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from minibus.cli import main

from harness.proxy import PassOn, Proxy
from harness.server import Answer, Request
from harness.waiting import PATIENCE, eventually
from infra.parts import ROOT, SERVICES
from tests.support.system import Blog

PAGE = ROOT / "docs" / "reference" / "cli.md"
TRANSCRIPT = ROOT / "docs" / "reference" / "walk-query.txt"
STORY = ROOT / "labs" / "stories" / "happy-path.ndjson"
LISTED = {name: command for name, command in main.commands.items() if not command.hidden}
MINIBUS = str(Path(sys.executable).with_name("minibus"))


def environment(blog: Blog, **more: str) -> dict[str, str]:
    folder = str(Path(sys.executable).parent)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "EVENT_BUS_URL": blog.url("event-bus"), "PATH": path, "COLUMNS": "80", **more}


def minibus(blog: Blog, *arguments: str, keys: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [MINIBUS, *arguments], env=environment(blog, **settings), input=keys, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def said(blog: Blog, *arguments: str, **more: str) -> str:
    """Return the output of a command that succeeds."""
    done = minibus(blog, *arguments, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_json(blog: Blog, *arguments: str) -> Any:
    """Return the JSON that a command prints with `--json`."""
    return msgspec.json.decode(said(blog, *arguments, "--json"))


def pause(blog: Blog) -> None:
    for name in SERVICES:
        assert blog.send("event-bus", f"/subscribers/{name}", {"paused": True}, "PATCH").ok


@pytest.fixture
def story(new_blog: Blog) -> Blog:
    """A blog on the happy path, every service paused at 0."""
    new_blog.start().ready()
    pause(new_blog)
    said(new_blog, "import", str(STORY))
    return new_blog


# -- the page ---------------------------------------------------------------------------------------------------------


def test_the_transcript_on_the_page_is_a_walk_that_moves_no_service(story: Blog) -> None:
    before = story.get("event-bus", "/subscribers/query"), story.get("query", "/state")

    transcript = said(story, "walk", "query", "--step", keys="n" * 60)

    assert_same(TRANSCRIPT, transcript)
    assert (story.get("event-bus", "/subscribers/query"), story.get("query", "/state")) == before
    assert before[1]["at"] == 0


def assert_same(page: Path, text: str) -> None:
    """Compare a page with the expected text, or, with REWRITE=1, write it anew."""
    if os.environ.get("REWRITE"):
        page.write_text(text)
    assert page.read_text() == text


def test_every_command_and_option_is_on_the_page_and_no_other() -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))

    assert set(sections) == set(LISTED)
    for name, command in LISTED.items():
        assert f"minibus {name}" in sections[name]
        options = {option for one in command.params if isinstance(one, click.Option) for option in one.opts}
        assert {option for option in options - {"--json", "--bus"} if f"`{option}" not in sections[name]} == set()


@pytest.mark.parametrize("name", LISTED)
def test_the_help_of_every_command_has_examples_and_fits_in_80_columns(new_blog: Blog, name: str) -> None:
    helped = said(new_blog, name, "--help")

    assert f"Examples:\n    minibus {name}" in helped or f"minibus {name}" in helped.partition("Examples:")[2]
    assert max(map(len, helped.splitlines())) <= 80


def test_a_walk_asks_the_bus_once_per_step(story: Blog) -> None:
    asked: list[str] = []

    def note(request: Request, pass_on: PassOn) -> Answer:
        asked.append(request.path)
        return pass_on(request)

    with closing(Proxy(lambda path: story.url("event-bus"), note)) as between:
        said(story, "walk", "query", "--step", keys="nnbGg", EVENT_BUS_URL=between.url)

    assert asked[:2] == ["/log", "/events/1"], "to begin with"
    assert asked[2:] == [f"/subscribers/query/moment?at={at}&last=0" for at in (0, 1, 2, 1, 60, 0)]


def test_replay_is_the_old_name_of_walk_and_says_so(story: Blog) -> None:
    walked = minibus(story, "walk", "query", "--from", "58")
    replayed = minibus(story, "replay", "query", "--from", "58")

    assert (replayed.returncode, replayed.stdout) == (0, walked.stdout)
    assert replayed.stderr == "minibus replay is called minibus walk now; the old name still works.\n"
    assert walked.stderr == ""


# -- scripts ----------------------------------------------------------------------------------------------------------


def test_with_json_every_command_prints_json(story: Blog, tmp_path: Path) -> None:
    assert in_json(story, "pause", "query")["query"]["state"] == "paused"
    assert in_json(story, "step", "query", "--count", "3") == {"query": {"position": 3, "delivered": 3}}
    assert in_json(story, "subscribers")["query"]["position"] == 3
    assert in_json(story, "state", "query", "--at", "1")["state"] == story.get("query", "/state?at=1")["state"]
    assert [change["change"] for change in in_json(story, "diff", "query", "--to", "4")["changes"]] == ["changed"]
    assert in_json(story, "rewind", "query")["query"]["position"] == 0
    assert in_json(story, "tail", "--after", "6", "--count", "1") == story.get("event-bus", "/events/7")
    moments = [
        msgspec.json.decode(line) for line in said(story, "walk", "query", "--from", "58", "--json").splitlines()
    ]
    assert [(moment["at"], moment["count"]) for moment in moments] == [(58, 1), (59, 0), (60, 1)]
    file = tmp_path / "log.ndjson"
    assert in_json(story, "export", str(file)) == {"file": str(file), "events": 60, "bytes": STORY.stat().st_size}
    assert file.read_bytes() == STORY.read_bytes()
    assert in_json(story, "resume", "query")["query"]["paused"] is False
    assert in_json(story, "publish", "Happened", "1", "--id", "once") == {"status": "OK", "seq": 61, "id": "once"}


def test_each_kind_of_error_has_its_exit_code_and_message(story: Blog, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_bytes(STORY.read_bytes()[:-9])
    story.stop("query")

    def outcome(*arguments: str, **settings: str) -> tuple[int, str]:
        done = minibus(story, *arguments, **settings)
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr.splitlines()[-1]

    assert outcome("import", str(broken)) == (
        1,
        "Error: The log has 60 events already; import needs an empty one. See: make reset",
    )
    assert outcome("state", "unknown") == (1, "Error: There is no subscriber unknown.")
    assert outcome("state", "posts", "--at", "61") == (1, "Error: The log ends at 60; 61 is beyond it.")
    assert outcome("state", "query") == (3, "Error: query is down. Start it to look back.")
    assert outcome("publish", "Happened", "{")[0] == 2
    assert outcome("tail", "--after", "-1")[0] == 2
    assert outcome("import", str(tmp_path / "nothing"))[0] == 2
    assert outcome("export", str(tmp_path / "no" / "folder"))[0] == 1
    closed = "http://127.0.0.1:1"
    for command in (["subscribers"], ["tail"], ["export", "-"], ["walk", "query"], ["import", str(STORY)]):
        code, line = outcome(*command, "--bus", closed)
        assert (code, closed in line) == (3, True)


def test_import_rejects_a_broken_file_and_names_the_line(new_blog: Blog, tmp_path: Path) -> None:
    new_blog.start("event-bus")
    broken = tmp_path / "broken.ndjson"
    broken.write_bytes(STORY.read_bytes()[:-9])

    done = minibus(new_blog, "import", str(broken))

    assert (done.returncode, done.stderr) == (1, "Error: Line 61: The line is cut off: the file ends in it.\n")
    assert new_blog.events() == []


def test_a_command_sends_the_token_of_its_environment(new_blog: Blog) -> None:
    new_blog.settings = {"BUS_TOKEN": "s3cret"}
    new_blog.start("event-bus")

    assert minibus(new_blog, "subscribers").returncode == 1
    assert said(new_blog, "subscribers", BUS_TOKEN="s3cret") == "There are no subscribers.\n"


def test_tail_follows_the_log_over_a_restart_of_the_bus_until_ctrl_c(story: Blog) -> None:
    command = [MINIBUS, "tail", "--json", "--after", "60"]
    with subprocess.Popen(command, env=environment(story), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        assert tail.stdout
        try:
            for number in (61, 62):
                said(story, "publish", "Happened", str(number))
                assert msgspec.json.decode(tail.stdout.readline())["seq"] == number
                story.kill("event-bus")
                story.start("event-bus")
        finally:
            tail.send_signal(signal.SIGINT)
        assert tail.wait(PATIENCE) == 130


def test_the_shell_completes_commands_and_names(story: Blog) -> None:
    def completed(words: str) -> list[str]:
        asked = {"_MINIBUS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        return said(story, **asked).splitlines()

    assert completed("minibus re") == ["plain,resume", "plain,rewind"]
    assert completed("minibus state q") == ["plain,query"]


# -- text of users ----------------------------------------------------------------------------------------------------

HOSTILE = "[bold red]loud[/] \x1b]0;taken over\x07 \x1b[31mred \x9b2J \u202eback\nto"


@pytest.fixture
def written_on(new_blog: Blog) -> Blog:
    """A blog with a post whose title a terminal would obey."""
    new_blog.start().ready()
    new_blog.write_post(HOSTILE)
    eventually(lambda: new_blog.get("event-bus", "/subscribers/query")["lag"] == 0)
    return new_blog


@pytest.mark.parametrize(
    "command",
    [
        ["tail", "--after", "0", "--count", "1"],
        ["state", "query"],
        ["diff", "query"],
        ["walk", "query"],
        ["state", "query", "--json"],
        ["tail", "--after", "0", "--count", "1", "--json"],
    ],
    ids=" ".join,
)
def test_a_command_prints_no_control_character_of_a_post(written_on: Blog, command: list[str]) -> None:
    output = said(written_on, *command)

    assert "[bold red]loud[/]" in output
    assert "taken over" in output
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", output)


def in_a_terminal(blog: Blog, *arguments: str, keys: list[bytes], prompt: bytes) -> str:
    """Run a command in a terminal, and press a key whenever it asks for one; return what it shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [MINIBUS, *arguments], env=environment(blog, TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown, asked = b"", 0
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
                if shown.count(prompt) > asked:
                    # The terminal drops keys that come before the program reads them.
                    eventually(lambda: not termios.tcgetattr(ours)[3] & termios.ICANON)
                    os.write(ours, keys[asked])
                    asked += 1
        except OSError:
            pass  # the terminal raises it once the program has ended
        finally:
            process.kill()
    os.close(ours)
    return shown.decode()


def test_a_walk_in_a_terminal_follows_the_arrows_until_q(story: Blog) -> None:
    keys = [b"\x1b[C", b" ", b"\x1b[D", b"\x1b[F", b"g", b"q"]

    shown = in_a_terminal(story, "walk", "query", "--step", keys=keys, prompt=b"q quit")

    assert re.findall(r"query: (\d+) of 60", shown) == ["0", "1", "2", "1", "60", "0"]
    assert "space next" in shown
    assert "\x1b[1m" in shown, "in colour"
