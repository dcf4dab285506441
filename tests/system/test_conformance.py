"""The checker, on ours, on Express services of the course's shape, and on mutants: it praises and blames rightly.

`REWRITE=1 pytest -n 0 tests/system/test_conformance.py` rewrites the tables of its page; read them before you commit.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from conformance.__main__ import ROLES, main
from conformance.contract import CHAPTERS, Contract
from harness.browser import find_chromium
from harness.course.parts import PEERS
from harness.ports import free_port
from infra.parts import PARTS, ROOT
from tests.support.machine import in_ci
from tests.support.made_by_run import assert_made, table
from tests.support.mixed import install_express
from tests.support.mutants import MUTANTS, Mutant

PAGE = ROOT / "docs" / "conformance.md"
EXPRESS, OURS = "Express", "ours"
pytestmark = pytest.mark.timeout(600)  # the checks run side by side, and a test waits for its own
TOGETHER = 4  # checks at a time: most of a check is waiting

# How the course's version fails, in the course's order, and the rules that say so.
ERRORS = [
    "Malformed JSON is answered with 400, in JSON",
    "An unknown route is answered with 404, in JSON",
]
COURSE_FAILS = {
    "posts": {
        "bus down while a post or comment is written": ["While the bus is down it answers, and keeps what it confirms"],
        "malformed JSON, unknown route": ERRORS,
    },
    "comments": {
        "bus down while a post or comment is written": ["While the bus is down it answers, and keeps what it confirms"],
        "a comment on a post that does not exist": ["A comment on a post that does not exist is rejected with 404"],
        "malformed JSON, unknown route": ERRORS,
    },
    "query": {
        "CommentCreated delivered twice": ["CommentCreated delivered twice: the comment shows once"],
        "PostCreated delivered again": ["PostCreated delivered again: the post keeps its comments"],
        "a comment on a post that does not exist": ["A comment on an unknown post does no harm"],
        "bus down when query starts": ["Started before the bus, it catches up once the bus is up"],
        "malformed JSON, unknown route": ERRORS,
    },
    "moderation": {
        '"Orange" slips through': ["Orange is rejected in capital letters, too"],
        "a comment without `content`": ["A comment without content does not end the service"],
        "moderation down while a comment is written": [
            "A comment written while the service was down is judged later",
        ],
        "malformed JSON, unknown route": ERRORS,
    },
    "event-bus": {
        "bus restarted, then query restarted": ["After a restart it still has all events"],
        "malformed JSON, unknown route": ERRORS,
    },
    "client": {
        "the page never refreshes by itself": ["New posts and comments appear without a reload"],
        "the page shows no errors": ["An error is shown with its message"],
    },
}


@dataclass(frozen=True)
class Run:
    """What the checker says of a service."""

    code: int
    said: str
    complained: str

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """Return the verdicts, which it was asked for in JSON."""
        assert self.code in (0, 1), self.complained
        return json.loads(self.said)

    @property
    def broken(self) -> list[str]:
        """Return the rules that do not hold."""
        return [verdict["rule"] for verdict in self.verdicts if verdict["holds"] is False]

    def of_level(self, level: str) -> dict[str, bool | None]:
        """Return whether each rule of this level holds."""
        return {verdict["rule"]: verdict["holds"] for verdict in self.verdicts if verdict["level"] == level}


def check(role: str, command: str | None = None, *options: str, **settings: str) -> Run:
    """Run the checker on a service, at free ports."""
    listening = [free_port() for _ in range(4)]
    express = "express" in options
    given = {
        "SERVICE": role,
        "URL": f"http://127.0.0.1:{free_port()}",
        **({"CMD": command} if command else {}),
        "EVENT_BUS_URL": f"http://127.0.0.1:{free_port()}",
        "QUERY_URL": f"http://127.0.0.1:{free_port()}",
        "LISTEN": ",".join(map(str, listening)),
        "SUBSCRIBERS": ",".join(
            f"{'' if express else f'number-{index}='}http://127.0.0.1:{number}"
            for index, number in enumerate(listening)
        ),
        "NODE_PATH": str(PEERS / "node_modules"),
        "PATIENCE": "20",
        "COLUMNS": "80",
    }
    arguments = [option for option in options if option.startswith("--")]
    done = subprocess.run(
        [sys.executable, "-m", "conformance", *arguments],
        cwd=ROOT, env=os.environ | given | settings, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    return Run(done.returncode, done.stdout, done.stderr)


def check_ours(role: str, folder: Path, level: str = "", **settings: str) -> Run:
    """Run the checker on our service."""
    command = f"{shlex.quote(sys.executable)} -m gunicorn -c blog/common/gunicorn.conf.py {PARTS[role].app}"
    return check(role, command, "--json", DATA_DIR=str(folder / "data"), LEVEL=level, **settings)


def check_express(role: str, folder: Path, level: str = "", **settings: str) -> Run:
    """Run the checker on the Express service in this folder."""
    command = f"node {shlex.quote(str(folder / f'{role}.js'))}"
    return check(role, command, "--json", "express", LEVEL=level, **settings)


def check_mutant(mutant: Mutant, folder: Path) -> Run:
    """Run the checker on a service with a mistake."""
    mutant.write(folder)
    if mutant.level == "solid":
        return check_ours(mutant.role, folder, mutant.level, PATIENCE="8", PYTHONPATH=str(folder))
    return check_express(mutant.role, folder, mutant.level, PATIENCE="8")


@pytest.fixture(scope="module", autouse=True)
def _what_it_takes() -> None:
    """Install what the Express services need, once."""
    install_express()
    if not find_chromium():
        in_ci("the page is looked at in Chromium, and none was found; install it, or set CHROMIUM to its path")


Runs = dict[tuple[str, str], Future[Run]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, _what_it_takes: None) -> Iterator[Runs]:
    """Run every check, several at a time, while the first tests wait for theirs."""
    pool = ThreadPoolExecutor(TOGETHER)
    try:
        yield {
            **{(OURS, role): pool.submit(check_ours, role, tmp_path_factory.mktemp("ours")) for role in ROLES},
            **{(EXPRESS, role): pool.submit(check_express, role, PEERS, PATIENCE="8") for role in ROLES},
            **{
                (mutant.mistake, mutant.role): pool.submit(check_mutant, mutant, tmp_path_factory.mktemp("mutant"))
                for mutant in MUTANTS
            },
        }
    finally:
        pool.shutdown(cancel_futures=True)


# -- whom it praises, and whom it blames ------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_ours_keeps_every_rule(runs: Runs, role: str) -> None:
    run = runs[OURS, role].result()

    assert run.broken == []
    assert {verdict["holds"] for verdict in run.verdicts} == {True}
    assert run.code == 0


@pytest.mark.parametrize("role", ROLES)
def test_express_keeps_the_course_and_fails_as_the_course_does(runs: Runs, role: str) -> None:
    run = runs[EXPRESS, role].result()

    assert set(run.of_level("course").values()) == {True}, run.broken
    assert sorted(run.broken) == sorted(rule for rules in COURSE_FAILS[role].values() for rule in rules)
    assert run.code == 1


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.role} {mutant.mistake}")
def test_a_mistake_is_caught_by_the_right_line_and_no_other(runs: Runs, mutant: Mutant) -> None:
    run = runs[mutant.mistake, mutant.role].result()

    assert run.broken == [mutant.rule]
    assert run.code == 1


def test_the_page_shows_these_verdicts(runs: Runs) -> None:
    verdicts = []
    for role in ROLES:
        ours, express = (runs[who, role].result().verdicts for who in (OURS, EXPRESS))
        rows = [
            [mine["rule"], mine["level"], str(mine["chapter"]), mark(mine), mark(theirs)]
            for mine, theirs in zip(ours, express, strict=True)
        ]
        verdicts.append(f"**{role}**\n\n" + table(["rule", "level", "chapter", "ours", "Express"], rows))
    assert_made(PAGE, "verdicts", "\n".join(verdicts))

    caught = [
        [mutant.role, mutant.mistake, "; ".join(runs[mutant.mistake, mutant.role].result().broken)]
        for mutant in MUTANTS
    ]
    assert_made(PAGE, "mutants", table(["service", "mistake", "caught by"], caught))


def mark(verdict: dict[str, Any]) -> str:
    return {True: "✓", False: "✗", None: "○"}[verdict["holds"]]


# -- what people see --------------------------------------------------------------------------------------------------


def test_the_page_shows_what_a_learner_sees(tmp_path: Path) -> None:
    MUTANTS[0].write(tmp_path)
    port, bus = free_port(), f"http://127.0.0.1:{free_port()}"
    with subprocess.Popen(
        ["node", str(tmp_path / "posts.js")],
        env=os.environ | {"PORT": str(port), "EVENT_BUS_URL": bus, "NODE_PATH": str(PEERS / "node_modules")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as service:
        run = check("posts", None, URL=f"http://127.0.0.1:{port}", EVENT_BUS_URL=bus, LEVEL="course", PATIENCE="1")
        service.kill()

    said = run.said.replace(str(port), "4000").replace(bus, "http://127.0.0.1:4005")
    assert run.code == 1
    assert max(map(len, said.splitlines())) <= 80
    assert "expected    status 201" in said
    steady = re.sub(r"\b([0-9a-f]{8}|[0-9a-f]{6})\b", lambda drawn: "1f2e3d4c"[: len(drawn[0])], said)
    lines = "".join(f"{line.rstrip()}\n" for line in steady.splitlines())
    assert_made(PAGE, "seen", f"```\n{lines}```")


def test_what_needs_the_command_says_so_and_is_not_blamed(tmp_path: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        ["node", str(PEERS / "moderation.js")],
        env=os.environ | {"PORT": str(port), "EVENT_BUS_URL": (bus := f"http://127.0.0.1:{free_port()}")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as service:
        run = check("moderation", None, "--json", URL=f"http://127.0.0.1:{port}", EVENT_BUS_URL=bus)
        service.kill()

    unknown = [verdict for verdict in run.verdicts if verdict["holds"] is None]
    assert {verdict["reason"] for verdict in unknown} == {"not checked: needs CMD"}
    assert len(unknown) == 3
    assert run.code == 1


def test_a_service_that_dies_is_blamed_once_and_the_rest_is_left_open(tmp_path: Path) -> None:
    port = free_port()
    script = tmp_path / "dies.js"
    script.write_text(
        """
        const app = require('express')();
        app.get('/', (req, res) => res.json({}));
        app.post('/events', () => process.exit(1));
        app.listen(process.env.PORT, '127.0.0.1');
        """
    )
    with subprocess.Popen(
        ["node", str(script)], env=os.environ | {"PORT": str(port), "NODE_PATH": str(PEERS / "node_modules")}
    ) as service:
        run = check("moderation", None, URL=f"http://127.0.0.1:{port}")
        service.kill()

    assert run.code == 2
    assert "Your service has probably ended" in " ".join(run.said.split())
    assert run.said.count("✗") == 1
    assert "not checked: it has ended" in run.said


def test_a_port_in_use_is_named_with_its_owner_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", port := free_port())):
        run = check("query", "true", EVENT_BUS_URL=f"http://127.0.0.1:{port}")

    assert run.code == 2
    assert f"Port {port} is in use by" in run.complained
    assert f"process {os.getpid()}" in run.complained
    assert "the checker's own little event-bus has to listen there" in run.complained
    assert "make stop SERVICE=event-bus" in run.complained


def test_a_command_that_ends_is_quoted_with_its_last_words() -> None:
    run = check("query", "echo 'Cannot find module express'; exit 1")

    assert run.code == 2
    assert "has ended before it answered" in run.complained
    assert "last output: Cannot find module express" in run.complained


def test_make_names_the_roles_there_are() -> None:
    command = ["make", "--old-file=.venv/run", "conform", "SERVICE=qeury"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert f"SERVICE is qeury. Set it to one of: {', '.join(ROLES)}." in done.stderr


# -- its own words ----------------------------------------------------------------------------------------------------


def contract(role: str) -> Contract[Any]:
    name = role.replace("-", "_")
    return getattr(importlib.import_module(f"conformance.{name}"), name)


@pytest.mark.parametrize("role", ROLES)
def test_every_rule_has_a_title_that_fits_advice_and_a_chapter(role: str) -> None:
    rules = contract(role).rules

    assert len({rule.title for rule in rules}) == len(rules)
    assert [rule.title for rule in rules if len(rule.title) > 66] == []
    assert [rule.title for rule in rules if not rule.advice.endswith(".")] == []
    assert {rule.chapter for rule in rules} <= set(CHAPTERS)


def test_every_setting_is_on_the_page() -> None:
    settings = {str(option.envvar) for option in main.params if isinstance(option, click.Option) and option.envvar}

    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE))
    assert documented == settings
