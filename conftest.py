"""Collect the pages as tests (see tests/docs/pages); a run ends with counts of what was proven on them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest
from sybil import Sybil
from xdist.scheduler import LoadFileScheduling

from tests.docs.pages import terminal
from tests.docs.pages.needs import PATIENCE
from tests.docs.pages.proof import begin, blocks, end
from tests.docs.pages.transcript import read
from tests.support import network

# Tests use requests and curl as a learner does; both would send calls to 127.0.0.1 through the machine's proxy.
os.environ["no_proxy"] = ",".join(filter(None, map(os.environ.get, ("no_proxy", "NO_PROXY")))) + ",127.0.0.1"

pytest_collect_file = Sybil([blocks], pattern="*.md", setup=begin, teardown=end).pytest()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Count the commands of a page, and give them time: a block has many, and some need more than Python."""
    if (example := getattr(item, "example", None)) and example.parsed["language"] == "console":
        item.user_properties.append(("commands run", len(read(example.parsed["source"]))))
        item.add_marker(
            pytest.mark.timeout(2 * (PATIENCE if "needs=" in example.parsed["words"] else terminal.PATIENCE))
        )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test wait for the network before its time begins."""
    with network.as_needed(item):
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
    """Run a file's tests one after the other, and so all those that are on the ports of a class."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "the ports of a class" if file.endswith(("test_make.py", ".md")) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    """Deal out the tests as above."""
    return ByFile(config, log)
