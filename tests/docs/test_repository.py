"""What the repository promises of itself: small services, pinned packages, a README that tells the truth."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from infra.parts import PARTS, ROOT, SERVICES

README = (ROOT / "README.md").read_text()
DOCS = ROOT / "docs"
NAMED = re.compile(r"\[`([A-Za-z_][\w.]*)`\]\(([^)#]+\.py)\)")


@pytest.mark.parametrize("name", [*SERVICES, "client"])
def test_a_service_fits_on_a_blackboard(name: str) -> None:
    lines = (ROOT / "blog" / name / f"{name}.py").read_text().splitlines()

    assert len(lines) <= 80
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_runs_alone_has_the_port_of_the_table(name: str) -> None:
    sources = "".join(source.read_text() for source in (ROOT / "blog" / name).rglob("*.py"))

    assert re.search(rf"\b(?:port=|run\(app, ){PARTS[name].port}\b", sources)


def test_every_setting_is_in_the_readme() -> None:
    sources = [*(ROOT / "blog").rglob("*.py")]
    read = {
        name
        for source in sources
        if not source.name.startswith("test_")
        for name in re.findall(r'(?:environ|settings)(?:\.get\(|\[)["\']([A-Z_]+)', source.read_text())
    } - {"WERKZEUG_RUN_MAIN", "REQUESTS_CA_BUNDLE"}  # settings of libraries

    assert read
    assert {name for name in read if f"| `{name}` |" not in README} == set()


def test_every_package_is_pinned_with_hashes_and_without_the_address_of_an_index() -> None:
    lock = (ROOT / "blog" / "requirements.txt").read_text()

    package = r"^[a-z0-9-]+==[\w.]+(?: ; [^\n]+?)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
    packages = re.findall(package, lock, re.MULTILINE)

    headings = re.findall(r"^#.*\n|^\n", lock, re.MULTILINE)
    assert len("".join(packages + headings)) == len(lock)
    assert "://" not in lock


@pytest.mark.parametrize(
    "package", ["gevent", "greenlet", "markupsafe", "msgspec", "psutil", "pyyaml", "zope-interface"]
)
def test_the_lock_has_the_files_of_every_system(package: str) -> None:
    """A package with compiled code has a wheel for each system and each version of Python."""
    lock = (ROOT / "blog" / "requirements.txt").read_text()

    [hashes] = re.findall(rf"^{package}==.*\n((?:    .*\n)+)", lock, re.MULTILINE)
    assert hashes.count("--hash=sha256:") > 15


def test_each_section_of_the_lock_has_what_its_group_asks_for() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    lock = (ROOT / "blog" / "requirements.txt").read_text()

    for group, packages in groups.items():
        before, heading, rest = lock.partition(f"\n# {group}:")
        assert heading
        pinned = set(re.findall(r"^([a-z0-9-]+)==", before + rest.partition("\n# ")[0], re.MULTILINE))
        assert {re.sub("[-_.]+", "-", package).lower() for package in packages} <= pinned


# -- the pages lead to the code ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_every_name_that_a_page_links_is_in_its_file(page: Path) -> None:
    linked = [(name, link) for name, link in NAMED.findall(page.read_text()) if not name.endswith(".py")]

    assert [f"{name} in {link}" for name, link in linked if name not in names(page.parent / link)] == []


def names(module: Path) -> set[str]:
    """Return the functions, classes and methods of a module: `Log`, `Log.append`."""
    found = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("package", ["blog/event-bus/event_bus", "blog/common/minibus", "blog/client"])
def test_every_module_has_its_line_in_the_architecture(package: str) -> None:
    page = (DOCS / "architecture.md").read_text()
    files = [file for file in (ROOT / package).rglob("*") if file.suffix in (".py", ".js", ".css")]
    modules = [file for file in files if not file.name.startswith(("__", "test_"))]

    def has_line(module: Path) -> bool:
        """Return whether the page links the module or its folder."""
        return any(f"(../{file.relative_to(ROOT)})" in page for file in (module, module.parent / "__init__.py"))

    assert modules
    assert [module.name for module in modules if not has_line(module)] == []


def test_every_top_folder_has_its_row_in_the_readme() -> None:
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))} - ignored

    assert folders
    assert {folder for folder in folders if f"\n| [`{folder}/`]({folder}" not in README} == set()


def test_the_readme_explains_parking_and_has_at_most_200_lines() -> None:
    assert "**parks**" in README
    assert len(README.splitlines()) <= 200
