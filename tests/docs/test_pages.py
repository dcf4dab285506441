"""The pages keep to the source: links, listings, targets, and how a chapter is built.

What they say to type is typed by pytest itself: see tests/docs/pages, and conftest.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from minibus.cli import main

from tests.docs.pages.links import links, tokens, what_is_wrong
from tests.docs.pages.listings import LISTING, cut, pages
from tests.support.system import ROOT

Record = Callable[[str, object], None]

PAGES = {str(path.relative_to(ROOT)): path for path in pages()}
TARGETS = set(re.findall(r"^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
DRAWINGS = {"", "text", "mermaid"}
COMMAND = re.compile(r"^(?:\$|make|minibus|python|curl|docker|kubectl) ", re.MULTILINE)


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
    """Nothing is pasted by hand: see tests/docs/pages for the words behind a block's language."""
    for token in tokens(PAGES[name].read_text()):
        if token.type == "fence":
            language, *words = token.info.split() or [""]
            line = f"line {(token.map or [0])[0] + 1}"
            has_a_place = any(word.startswith(("from=", "to=")) for word in words)
            assert has_a_place or language in DRAWINGS | {"console", "diff"}, f"{line}: where is it from?"
            if language in DRAWINGS:
                assert not COMMAND.search(token.content), f"{line}: what is typed belongs into a console"


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


def test_every_checkpoint_is_passed_on_a_page() -> None:
    """The pages are typed, so what they show of a checkpoint is what it says; this is that each is there and says ✓."""
    passed = {
        step
        for page in PAGES.values()
        for step, said in re.findall(
            r"^\$ make checkpoint STEP=(\S+)\n((?:[✓✗S].*\n)*)", page.read_text(), re.MULTILINE
        )
        if "✗" not in said and said.endswith(f"Step {step} is complete.\n")
    }

    written = re.findall(r'^@checkpoint\("(.+)"\)', (ROOT / "docs" / "checkpoints.py").read_text(), re.MULTILINE)
    assert passed == {step for step in written if any(name.startswith(f"docs/0{step[0]}-") for name in PAGES)}


@pytest.mark.parametrize("name", [name for name in PAGES if re.match(r"docs/\d", name)])
def test_a_chapter_says_what_one_will_be_able_to_do_keeps_the_ritual_and_ends_with_questions(name: str) -> None:
    page = PAGES[name].read_text()
    ritual = re.findall(r"^(?:## |\*\*)(Predict|Run|Break|Explain|Fix|Measure)\b", page, re.MULTILINE)
    steps = len(re.findall(r"^\$ make checkpoint", page, re.MULTILINE))
    questions = page.partition("## Three questions")[2]

    assert page.splitlines()[2].startswith("You will be able to ")
    assert ritual == ["Predict", "Run", "Break", "Explain", "Fix", "Measure"] * steps
    assert "## With the course's Node code" in page
    assert questions.count("<details><summary>") == questions.count("</details>") == 3
