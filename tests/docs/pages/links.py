"""Find the links of a page, and check their targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from infra.parts import ROOT

IN_HTML = re.compile(r'(?:href|src)="([^"]*)"')
EXTERNAL = re.compile(r"https?://[\w.-]+(?::\d+)?(?:/[^\s<>]*)?", re.ASCII)


def tokens(page: str) -> Iterator[Token]:
    """Yield the Markdown tokens of a page, with the tokens inside lines."""
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(page):
        yield token
        yield from token.children or ()


def links(page: str) -> list[str]:
    """Return the targets of a page's links and pictures."""
    found: list[str] = []
    for token in tokens(page):
        if token.type in ("html_block", "html_inline"):
            found += IN_HTML.findall(token.content)
        elif target := token.attrGet("href") or token.attrGet("src"):
            found.append(str(target))
    return found


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a page: the slugs that GitHub makes of its headings."""
    found: list[str] = []
    for token, following in pairwise(tokens(path.read_text())):
        if token.type == "heading_open":
            text = "".join(part.content for part in following.children or () if part.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            again = sum(re.fullmatch(rf"{re.escape(slug)}(-\d+)?", one) is not None for one in found)
            found.append(f"{slug}-{again}" if again else slug)
    return frozenset(found)


def problem_of(page: Path, target: str) -> str:
    """Return the problem of a link, or an empty string. Check only the syntax of links to other sites."""
    if re.match(r"[a-z]+:", target):
        return "" if EXTERNAL.fullmatch(target) else "is not a valid URL"
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.is_relative_to(ROOT) or not path.exists():
        return "points to no file of this repository"
    if anchor and (path.suffix != ".md" or anchor not in anchors(path)):
        return f"names no heading of {path.name}"
    return ""
