"""Parts of pages that a test writes: the results of its run stand between `<!-- NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path


def assert_made(page: Path, name: str, text: str) -> None:
    """Compare this part of a page with the text of the run; with REWRITE=1, write the text into the page."""
    part = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    assert part.search(page.read_text()), f"{page.name} has no <!-- {name} --> … <!-- end -->"
    wanted = f"\n{text.strip()}\n\n"
    if os.environ.get("REWRITE"):
        page.write_text(part.sub(lambda _: wanted, page.read_text(), count=1))
    found = part.search(page.read_text())
    assert found
    assert found[0] == wanted, f"{page.name} shows an old {name}. Run this with REWRITE=1, and read the change."


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown; cells are escaped."""
    lines = [head, ["---"] * len(head), *([html.escape(cell, quote=False) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
