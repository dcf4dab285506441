"""What every part prints."""

from __future__ import annotations

import logging
import sys
from typing import Any

from minibus.printing import OneLine


def test_what_is_printed_obeys_nobody_and_stays_on_its_line() -> None:
    formatter = OneLine("%(name)-10s %(message)s")

    def line(text: str, error: Any = None) -> str:
        return formatter.format(logging.LogRecord("bus", logging.INFO, "", 0, "#1 %s", (text,), error))

    assert (
        line("Grüße\nbus        #2 Forged \x1b[2J\u202e")
        == "bus        #1 Grüße\\nbus        #2 Forged \\u001b[2J\\u202e"
    )
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        told = line("failed", sys.exc_info()).splitlines()
    assert (told[0], told[-1]) == ("bus        #1 failed", "ValueError: \\u001b[2J")
