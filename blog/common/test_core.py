"""The core is pure: it imports nothing that does I/O, reads a clock, starts a thread or draws at random."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import minibus.core
import pytest

PURE = {
    *("__future__", "collections", "contextlib", "dataclasses", "datetime", "functools", "inspect", "re", "typing"),
    *("uuid", "msgspec"),  # of uuid only uuid5, which derives an id from a text
}
IMPURE_CALLS = {"now", "today", "uuid1", "uuid4", "open", "print", "input"}
MODULES = sorted(Path(minibus.core.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_core_imports_only_itself_and_pure_modules(module: Path) -> None:
    assert [name for name in imports(module) if not name.startswith("minibus.core.") and top(name) not in PURE] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_core_calls_no_clock_no_random_source_and_no_file(module: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call)]

    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}

    assert names & IMPURE_CALLS == set()


def test_an_impure_import_would_be_found(tmp_path: Path) -> None:
    module = tmp_path / "impure.py"
    module.write_text("import os.path, re\nfrom threading import Lock\nfrom minibus.core.fold import Fold\n")

    assert list(imports(module)) == ["os.path", "re", "threading", "minibus.core.fold"]


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def top(name: str) -> str:
    return name.partition(".")[0]
