"""The pages keep to the source: links, listings, targets, and how a chapter is built.

What they say to type is typed by pytest itself: see tests/pages, and conftest.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from minibus.cli import main

from tests.pages.links import links, tokens, what_is_wrong
from tests.pages.listings import LISTING, cut, pages
from tests.system import ROOT

Record = Callable[[str, object], None]

PAGES = {str(path.relative_to(ROOT)): path for path in pages()}
TARGETS = set(re.findall(r"^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
DRAWINGS = {"", "text", "mermaid"}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str, record_property: Record) -> None:
    page = PAGES[name]
    targets = links(page.read_text())

    wrong = {target: why for target in targets if (why := what_is_wrong(page, target))}

    assert wrong == {}
    record_property("links followed", len(targets))


@pytest.mark.parametrize("name", PAGES)
def test_every_listing_is_cut_from_the_source(name: str, record_property: Record) -> None:
    listings = LISTING.findall(PAGES[name].read_text())

    for _, source, shown in listings:
        assert shown == cut(source), f"the listing of {source} is stale; cut it anew with: make docs"
    record_property("listings compared", len(listings))


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_run_cut_or_drawn(name: str) -> None:
    """Nothing is pasted by hand: see tests/pages for the words behind a block's language."""
    for token in tokens(PAGES[name].read_text()):
        if token.type == "fence":
            language, *words = token.info.split() or [""]
            assert language in DRAWINGS | {"console", "diff"} or any(
                word.startswith(("from=", "to=")) for word in words
            ), f"line {(token.map or [0])[0] + 1}: a block of {language} says neither from= nor to="


@pytest.mark.parametrize("name", PAGES)
def test_every_target_and_command_that_is_named_exists(name: str) -> None:
    for token in tokens(PAGES[name].read_text()):
        if token.type == "code_inline":
            for target in re.findall(r"(?:^|[ ;&|])make ([a-z][\w-]*)", token.content):
                assert target in TARGETS, f"there is no make {target}"
            for command in re.findall(r"^minibus ([a-z]+)", token.content):
                assert command in main.commands, f"there is no minibus {command}"


def test_every_make_target_is_in_the_reference_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "make.md").read_text()

    assert set(re.findall(r"^\| `make ([\w-]+)", page, re.MULTILINE)) == TARGETS
