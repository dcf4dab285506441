"""Check the pages against the source: links, listings, make targets, and the structure of a chapter.

The root conftest.py collects the commands on the pages, and the package `pages` runs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from minibus.cli import main

from infra.parts import ROOT
from tests.docs.pages.links import links, problem_of, tokens
from tests.docs.pages.listings import LISTING, cut, pages

Record = Callable[[str, object], None]

PAGES = {str(path.relative_to(ROOT)): path for path in pages()}
TARGETS = set(re.findall(r"^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
DRAWINGS = {"", "text", "mermaid"}
COMMAND = re.compile(r"^(?:\$|make|minibus|python|curl|docker|kubectl) ", re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_every_link_has_a_target(name: str, record_property: Record) -> None:
    page = PAGES[name]
    targets = links(page.read_text())

    problems = {target: problem for target in targets if (problem := problem_of(page, target))}

    assert problems == {}
    record_property("links followed", len(targets))


@pytest.mark.parametrize("name", PAGES)
def test_every_listing_is_cut_from_the_source(name: str, record_property: Record) -> None:
    listings = LISTING.findall(PAGES[name].read_text())

    for _, source, shown in listings:
        assert shown == cut(source), f"The listing of {source} differs from the source. Run: make docs"
    record_property("listings compared", len(listings))


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_run_cut_or_drawn(name: str) -> None:
    """No block is pasted by hand: the package `pages` describes the marks behind a block's language."""
    for token in tokens(PAGES[name].read_text()):
        if token.type == "fence":
            language, *words = token.info.split() or [""]
            line = f"line {(token.map or [0])[0] + 1}"
            has_a_place = any(word.startswith(("from=", "to=")) for word in words)
            assert has_a_place or language in DRAWINGS | {"console", "diff"}, f"{line}: the block needs from= or to="
            if language in DRAWINGS:
                assert not COMMAND.search(token.content), f"{line}: write this command into a console block"


@pytest.mark.parametrize("name", PAGES)
def test_every_named_make_target_and_command_exists(name: str) -> None:
    for token in tokens(PAGES[name].read_text()):
        if token.type == "code_inline":
            for target in re.findall(r"(?:^|[ ;&|])make ([a-z][\w-]*)", token.content):
                assert target in TARGETS, f"The Makefile has no target {target}."
            for command in re.findall(r"^minibus ([a-z]+)", token.content):
                assert command in main.commands, f"minibus has no command {command}."


def test_the_reference_lists_exactly_the_make_targets() -> None:
    page = (ROOT / "docs" / "reference" / "make.md").read_text()

    assert set(re.findall(r"^\| `make ([\w-]+)", page, re.MULTILINE)) == TARGETS


def test_every_checkpoint_passes_on_a_page() -> None:
    """Each checkpoint is on a page, with ✓ only. The page's own test proves that this output is true."""
    passed = {
        step
        for page in PAGES.values()
        for step, output in re.findall(
            r"^\$ make checkpoint STEP=(\S+)\n((?:[✓✗S].*\n)*)", page.read_text(), re.MULTILINE
        )
        if "✗" not in output and output.endswith(f"Step {step} is complete.\n")
    }

    written = re.findall(r'^@checkpoint\("(.+)"\)', (ROOT / "docs" / "checkpoints.py").read_text(), re.MULTILINE)
    assert passed == {step for step in written if any(name.startswith(f"docs/0{step[0]}-") for name in PAGES)}


@pytest.mark.parametrize("name", [name for name in PAGES if re.match(r"docs/\d", name)])
def test_a_chapter_has_its_goal_the_parts_of_each_step_and_three_questions(name: str) -> None:
    page = PAGES[name].read_text()
    parts = re.findall(r"^(?:## |\*\*)(Predict|Run|Break|Explain|Fix|Measure)\b", page, re.MULTILINE)
    steps = len(re.findall(r"^\$ make checkpoint", page, re.MULTILINE))
    questions = page.partition("## Three questions")[2]

    assert page.splitlines()[2].startswith("You will be able to ")
    assert parts == ["Predict", "Run", "Break", "Explain", "Fix", "Measure"] * steps
    assert "## With the course's Node code" in page
    assert questions.count("<details><summary>") == questions.count("</details>") == 3
