"""Biome, the linter of JavaScript and CSS: what it finds, and how it is left out where there is no Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.parts import ROOT
from tests.support.machine import in_ci


def biome(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Biome as `make check` does."""
    return subprocess.run(
        [sys.executable, "infra/biome/biome.py", *map(str, arguments)],
        check=False, cwd=ROOT, env=os.environ | settings, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("export const show = () => render(event);\n", "noUndeclaredVariables"),
        ("const render = console.log;\nexport const show = () => render(event);\n", "noRestrictedGlobals"),
        ("export function show(post) {}\n", "noUnusedFunctionParameters"),
    ],
)
def test_biome_rejects_a_name_that_is_not_declared_or_not_used(tmp_path: Path, source: str, rule: str) -> None:
    if not shutil.which("npm"):
        in_ci("Biome needs Node and npm")

    shutil.copy(ROOT / "biome.json", tmp_path)
    (tmp_path / "blog").mkdir()
    (tmp_path / "blog" / "page.js").write_text(source)

    done = biome("lint", f"--config-path={tmp_path}", tmp_path)

    assert done.returncode == 1
    assert rule in done.stdout


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_without_node_biome_is_left_out_visibly_and_fails_in_ci(ci: str, status: int) -> None:
    done = biome("check", "blog/client", PATH="/nowhere", CI=ci)

    assert (done.returncode, done.stdout) == (status, "Biome needs Node and npm: JavaScript and CSS are not checked.\n")
