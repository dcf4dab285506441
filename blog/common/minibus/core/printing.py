"""Print text that strangers wrote: a terminal obeys control characters, so this module writes them out."""

from __future__ import annotations

import re

# C0 and C1 controls, and the characters that reverse the direction of writing; not the line feed.
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    """Return a text with its control characters written out."""
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
