"""Parts of pages that a test makes: between `<!-- NAME -->` and `<!-- end -->` stands what its run found."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path


def assert_made(page: Path, name: str, text: str) -> None:
    """Compare this part of a page with what it has to say, or, with REWRITE=1, write that."""
    part = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    assert part.search(page.read_text()), f"{page.name} has no <!-- {name} --> … <!-- end -->"
    wanted = f"\n{text.strip()}\n\n"
    if os.environ.get("REWRITE"):
        page.write_text(part.sub(lambda _: wanted, page.read_text(), count=1))
    found = part.search(page.read_text())
    assert found
    assert found[0] == wanted, f"{page.name} tells of {name} as it was: look at it, and run this with REWRITE=1"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Write a table in Markdown; what a cell says is only ever text."""
    lines = [head, ["---"] * len(head), *([html.escape(cell, quote=False) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
