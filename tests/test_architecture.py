"""docs/architecture.md leads to the code: every name that a page links is in its file, and no module is left out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.system import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
NAMED = re.compile(r"\[`([A-Za-z_][\w.]*)`\]\(([^)#]+\.py)\)")


def names(module: Path) -> set[str]:
    """Return the functions, classes and methods of a module: `Log`, `Log.append`."""
    found = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_name_that_a_page_links_is_in_its_file(page: Path) -> None:
    linked = [(name, link) for name, link in NAMED.findall(page.read_text()) if not name.endswith(".py")]

    assert [f"{name} in {link}" for name, link in linked if name not in names(page.parent / link)] == []
    assert [link for link in re.findall(r"\]\(([^):#]+)[)#]", page.read_text()) if not (DOCS / link).exists()] == []


@pytest.mark.parametrize("package", ["blog/event-bus/event_bus", "blog/common/minibus"])
def test_no_module_is_left_out(package: str) -> None:
    linked = {(DOCS / link).resolve() for link in re.findall(r"\]\(([^)#]+)\)", (DOCS / "architecture.md").read_text())}
    modules = set((ROOT / package).glob("*.py")) - set((ROOT / package).glob("__*.py"))

    assert modules - linked == set()
