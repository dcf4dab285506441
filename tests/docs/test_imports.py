"""The floors of the code: import-linter rejects an import that goes up or round, and names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.parts import ROOT

NOT_COPIED = shutil.ignore_patterns(".*", "data", "mine", "run", "node_modules", "__pycache__")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository, in which a test may write an import."""
    root = tmp_path_factory.mktemp("imports") / "minibus"
    shutil.copytree(ROOT, root, ignore=NOT_COPIED)
    return root


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter as `make check` does, on the code of this folder."""
    folders = [str(root), *(str(file.parent) for file in root.glob("blog/*/pyproject.toml"))]
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"],
        check=False, cwd=root, env=os.environ | {"PYTHONPATH": os.pathsep.join(folders), "COLUMNS": "200"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("importer", "imported", "named"),
    [
        ("common/minibus/core/fold.py", "minibus.http", "minibus.core.fold -> minibus.http"),
        ("common/minibus/bus/client.py", "minibus.service", "minibus.bus.client -> minibus.service"),
        ("event-bus/event_bus/log/log.py", "event_bus.delivery", "event_bus.log.log -> event_bus.delivery"),
        ("common/minibus/service.py", "event_bus", "minibus.service -> event_bus"),
        ("query/query.py", "comments", "blog.query.query -> comments"),
    ],
)
def test_an_import_that_goes_up_or_round_is_rejected_by_name(
    copy: Path, importer: str, imported: str, named: str
) -> None:
    module = copy / "blog" / importer
    before = module.read_text()
    module.write_text(f"{before}\nimport {imported}\n")
    try:
        done = lint(copy)
    finally:
        module.write_text(before)

    assert done.returncode == 1
    assert named in done.stdout


def test_a_circle_within_a_floor_is_rejected(copy: Path) -> None:
    (copy / "blog" / "common" / "minibus" / "core" / "one.py").write_text("from minibus.core import other\n")
    (copy / "blog" / "common" / "minibus" / "core" / "other.py").write_text("from minibus.core import one\n")

    done = lint(copy)

    assert done.returncode == 1
    assert "minibus: no circles BROKEN" in done.stdout
    assert "allowed in minibus.core" in " ".join(done.stdout.split())
    assert ".other -> .one" in done.stdout or ".one -> .other" in done.stdout
