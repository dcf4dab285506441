"""What strangers wrote, printed: no control characters, which a terminal obeys, and one line where one is meant."""

from __future__ import annotations

import logging
import re

# C0 and C1 controls, and what turns the direction of writing round; not the line's end.
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    """Return a text with its control characters written out."""
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class OneLine(logging.Formatter):
    """Writes a message as one line, whatever is in it; only a traceback has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Write the message."""
        return super().formatMessage(record).replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        """Write the message, and the traceback."""
        return escaped(super().format(record))
