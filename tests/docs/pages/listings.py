"""Cut the listings of pages from the source: `make docs` updates every page."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from infra.parts import ROOT

LISTING = re.compile(r"^(```\w+ from=(\S+)\n)(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_OURS = {"node_modules", ".venv", "data", "mine", "run"}


def pages() -> list[Path]:
    """Return every Markdown page of the repository."""
    found = (path for path in ROOT.rglob("*.md") if not NOT_OURS & set(path.relative_to(ROOT).parts))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))


def cut(source: str) -> str:
    """Return the text of a listing of `PATH` or `PATH#NAME,NAME`.

    Raises `LookupError` for a path or a name that does not exist.
    """
    path, _, names = source.partition("#")
    if not (ROOT / path).is_file():
        raise LookupError(f"there is no file {path}")
    text = (ROOT / path).read_text()
    return "\n\n".join(part(text, name, path) for name in names.split(",")) if names else text


def part(text: str, name: str, path: str) -> str:
    """Return the source of a name: a function, class or variable of a module, a key of a YAML file, or a region."""
    lines = text.splitlines(keepends=True)
    regions = re.findall(rf"^[^\n]*\bregion {name}\b[^\n]*\n(.*?)^[^\n]*\bendregion\b", text, re.MULTILINE | re.DOTALL)
    if regions:
        return "".join(regions)
    for node in ast.parse(text).body if path.endswith(".py") else ():
        if name in names_of(node):
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(one.lineno for one in decorators)])
            return "".join(lines[first - 1 : node.end_lineno])
    if path.endswith(".yaml") and (found := re.search(rf"^( *){name}:.*\n(?:\1 .*\n)*", text, re.MULTILINE)):
        return found[0]
    raise LookupError(f"{path} has no {name}")


def names_of(node: ast.stmt) -> set[str]:
    """Return the names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def renewed(page: str) -> str:
    """Return a page with current listings."""
    return LISTING.sub(lambda listing: f"{listing[1]}{cut(listing[2])}```", page)


def main() -> int:
    """Update the listings of all pages, and print the name of each page that changed.

    Returns 1 if a listing names a file or a name that does not exist, else 0.
    """
    problems = 0
    for path in pages():
        name, page = path.relative_to(ROOT), path.read_text()
        try:
            new = renewed(page)
        except LookupError as error:
            print(f"{name}: {error.args[0]}")
            problems += 1
            continue
        if new != page:
            path.write_text(new)
            print(f"{name}: listings updated")
    return min(problems, 1)


if __name__ == "__main__":
    sys.exit(main())
