"""What the repository promises of itself: small services, pinned packages, a README that tells the truth."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.system import APPS, ROOT, SERVICES

README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", [*SERVICES, "client"])
def test_a_service_fits_on_a_blackboard(name: str) -> None:
    lines = (ROOT / "blog" / name / f"{name}.py").read_text().splitlines()

    assert len(lines) <= 80
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", APPS)
def test_a_part_is_started_as_its_own_code_says(name: str) -> None:
    part = tomllib.loads((ROOT / "blog" / name / "pyproject.toml").read_text())["tool"]["minibus"]
    sources = "".join(source.read_text() for source in (ROOT / "blog" / name).rglob("*.py"))

    assert part["app"] == APPS[name]
    assert re.search(rf"\b(?:port=|run\(app, ){part['port']}\b", sources)


def test_every_setting_is_in_the_readme() -> None:
    sources = [*(ROOT / "blog").rglob("*.py")]
    read = {
        name
        for source in sources
        if not source.name.startswith("test_")
        for name in re.findall(r'(?:environ|settings)(?:\.get\(|\[)["\']([A-Z_]+)', source.read_text())
    } - {"WERKZEUG_RUN_MAIN"}

    assert read
    assert {name for name in read if f"| `{name}` |" not in README} == set()


def test_every_package_is_pinned_and_comes_from_nowhere_in_particular() -> None:
    lines = [line for line in (ROOT / "blog" / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ?;.*)?", line) for line in lines if line)
