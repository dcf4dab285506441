"""Lend the environment of these tests to a copy of the repository, so that no test waits for an installation."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
import venv
from pathlib import Path


def lend_environment(root: Path) -> None:
    """Make `.venv` in a copy: the code of the parts is the copy's, the packages are those of these tests.

    `make` in the copy finds it whole, until the copy gets another part, another lock or another place.
    """
    venv.create(root / ".venv", symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(root / ".venv")}))
    parts = sorted(str(file.parent) for file in root.glob("blog/*/pyproject.toml"))
    (packages / "lent.pth").write_text("\n".join([*parts, sysconfig.get_path("purelib")]))
    lend_programs(root / ".venv" / "bin")
    stamp(root)


def lend_programs(folder: Path) -> None:
    """Let the programs that our packages brought run on the copy's interpreter."""
    for program in Path(sys.executable).parent.iterdir():
        if (folder / program.name).exists():
            continue
        content = program.read_bytes()
        first_line, _, rest = content.partition(b"\n")
        if first_line.startswith(b"#!") and b"python" in first_line:
            # The path may be too long for a first line, or have spaces: the shell reads two lines, and Python a string.
            start = b"#!/bin/sh\n'''exec' '%s/python' \"$0\" \"$@\"\n' '''\n" % bytes(folder)
            (folder / program.name).write_bytes(start + rest)
            (folder / program.name).chmod(0o755)
        else:
            (folder / program.name).symlink_to(program)


def stamp(root: Path) -> None:
    """Mark the copy's environment as whole, as the copy's own script does."""
    file = root / "infra" / "local" / "environment.py"
    spec = importlib.util.spec_from_file_location("environment_of_a_copy", file)
    assert spec
    assert spec.loader
    environment = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(environment)
    environment.write_stamp(["run", "test"])
