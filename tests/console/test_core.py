"""The console's pure modules: their tests run in Node, without a browser."""

from __future__ import annotations

import re
import shutil
import subprocess

from infra.parts import ROOT
from tests.support.machine import in_ci

CORE = ROOT / "blog" / "event-bus" / "test_console"


def test_the_pure_modules_pass_their_own_tests() -> None:
    if not shutil.which("node"):
        in_ci("the tests of the console's pure modules run in Node")
    files = sorted(CORE.glob("*.test.js"))

    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", *files],
        check=False, cwd=ROOT, text=True, timeout=100, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip

    print(done.stdout)
    assert done.returncode == 0, done.stdout
    [passed] = re.findall(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    declared = sum(len(re.findall(r"^ *test\(", file.read_text(), re.MULTILINE)) for file in files)
    assert int(passed) >= declared > 0
