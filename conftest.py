"""Collect the pages as tests (see tests/docs/pages); a run ends with counts of what was proven on them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings
from sybil import Sybil
from xdist.scheduler import LoadFileScheduling

from tests.docs.pages import terminal
from tests.docs.pages.needs import PATIENCE
from tests.docs.pages.proof import begin, blocks, end
from tests.docs.pages.transcript import read
from tests.support import locks

# Tests use requests and curl as a learner does; both would send calls to 127.0.0.1 through the machine's proxy.
os.environ["no_proxy"] = ",".join(filter(None, map(os.environ.get, ("no_proxy", "NO_PROXY")))) + ",127.0.0.1"

# Hypothesis would fail an example that takes 200 ms, which on a busy machine any example can.
settings.register_profile("minibus", deadline=None)
settings.load_profile("minibus")

pytest_collect_file = Sybil([blocks], pattern="*.md", setup=begin, teardown=end).pytest()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Count the commands of a page, and give each block time for all of its commands."""
    if (example := getattr(item, "example", None)) and example.parsed["language"] == "console":
        item.user_properties.append(("commands run", len(read(example.parsed["source"]))))
        item.add_marker(
            pytest.mark.timeout(2 * (PATIENCE if "needs=" in example.parsed["words"] else terminal.PATIENCE))
        )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Let a test wait for what the machine has once, before the test's time begins."""
    with locks.as_needed(item, nextitem):
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much on the pages was checked."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        counts.update({name: count for name, count in report.user_properties if isinstance(count, int)})
    if counts:
        said = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        terminalreporter.write_line(f"On the pages: {said}")


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """Run the tests of a file on one worker, and all files that use the ports of a class on the same one.

    The marks `xdist_group` would say it, too, but xdist 3.8 does not see them under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return locks.COURSE_PORTS if locks.uses_course_ports(Path(file)) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    """Distribute the tests by file."""
    return ByFile(config, log)
