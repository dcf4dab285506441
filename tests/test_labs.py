"""Every lab as CI plays it: real processes, real faults, and a verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from labs.__main__ import LABS
from tests.system import ROOT

AT_ONCE = 3  # labs: most of their time is waiting

pytestmark = pytest.mark.timeout(300)

Playing = dict[str, "Future[subprocess.CompletedProcess[str]]"]


def play(name: str) -> subprocess.CompletedProcess[str]:
    """Play a lab to its end, as `make lab` does, but wait for nobody."""
    return subprocess.run(
        [sys.executable, "-m", "labs", name, "--auto"],
        check=False, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def playing(request: pytest.FixtureRequest) -> Iterator[Playing]:
    """Play the labs that are asked for, some at a time."""
    tests: list[Any] = [item for item in request.session.items if item.path == request.path]
    names = [test.callspec.params["name"] for test in tests if "playing" in test.fixturenames]
    with ThreadPoolExecutor(AT_ONCE) as stages:
        yield {name: stages.submit(play, name) for name in names}


@pytest.mark.parametrize("name", LABS)
def test_a_lab_keeps_its_promise(playing: Playing, name: str, record_property: Callable[[str, str], None]) -> None:
    played = playing[name].result()

    record_property("transcript", played.stdout)
    assert played.returncode == 0, played.stdout
    assert "↯" in played.stdout
    assert "\n✓ " in played.stdout


def test_make_lab_lists_them_all() -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKELEVEL", "MAKEFLAGS")}
    said = subprocess.run(
        ["make", "--old-file=.venv/run", "lab"], check=True, cwd=ROOT, env=inherited, capture_output=True, text=True
    ).stdout

    files = {path.stem.replace("_", "-") for path in (ROOT / "labs").glob("*.py") if "def play(" in path.read_text()}
    assert files == set(LABS)
    assert [line.split()[0] for line in said.splitlines()[1:-2]] == list(LABS)
    assert max(map(len, said.splitlines())) <= 80
