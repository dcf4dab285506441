"""Run a lab, or list them: `python -m labs [NAME] [--auto] [--record FILE]`."""

from __future__ import annotations

import argparse
import importlib
import re
import signal
import sys
from pathlib import Path
from typing import Any

import requests
from minibus.bus.client import BusAway, BusRefused
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from harness.terminal import quiet_terminal
from labs.stage import WIDTH, NotAsExpected, Stage

LABS = (
    "the-web-of-requests",
    "lost-without-a-store",
    "replay-on-restart",
    "the-bus-forgets",
    "the-bus-remembers",
    "pending-for-ever",
    "moderated-later",
    "delivered-twice",
    "out-of-order",
    "poison-event",
    "slow-subscriber",
    "dual-write",
)
# The picture must not load a font from another host.
OWN_FONTS = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def load(name: str) -> Any:
    """Return the module of a lab."""
    return importlib.import_module(f"labs.{name.replace('-', '_')}")


def show_all(console: Console) -> None:
    """List the labs, each with its chapter of the course."""
    console.print("lab                   chapter of the course, and what fails", style="dim")
    for name in LABS:
        lab = load(name)
        console.print(Text(f"{name:<22}{lab.CHAPTER:>2}  {lab.__doc__}"))
    console.print("\nRun one with: make lab LAB=replay-on-restart")


def run(name: str, stage: Stage) -> int:
    """Play a lab from its first line to its verdict; return the exit status."""
    lab = load(name)
    stage.console.print(Text(f"\n  {name}", "bold").append(f"  (chapter {lab.CHAPTER})", "dim not bold"))
    stage.console.print(Text(f"  {lab.__doc__}"))
    try:
        if not stage.auto:
            stage.console.print(Text("  Enter continues, Ctrl-C ends everything.", "dim"))
        with quiet_terminal():
            lab.play(stage)
    except (NotAsExpected, AssertionError, BusAway, BusRefused, requests.RequestException) as error:
        stage.fail(str(error))
        return 1
    except KeyboardInterrupt:
        stage.console.print("\n\n  Ended by you, before the verdict.")
        return 130
    finally:
        # A second Ctrl-C must not interrupt the cleaning up: processes would be left behind.
        for number in INTERRUPTS:
            signal.signal(number, signal.SIG_IGN)
        stage.close()
    return 0


def main() -> int:
    """Run or list the labs that the command line names; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m labs", description="Run a lab, or list them.")
    parser.add_argument("lab", nargs="?")
    parser.add_argument("--auto", action="store_true", help="do not wait for Enter")
    parser.add_argument("--record", type=Path, metavar="FILE", help="save a picture of the terminal as SVG")
    given = parser.parse_args()
    console = Console(width=WIDTH, markup=False, highlight=False, emoji=False, record=bool(given.record))
    if given.lab is None:
        show_all(console)
        return 0
    if given.lab not in LABS:
        console.print(f"There is no lab {given.lab}. The labs are:")
        show_all(console)
        return 1
    for number in INTERRUPTS:
        signal.signal(number, signal.default_int_handler)
    status = run(given.lab, Stage(console, auto=given.auto))
    if given.record and status == 0:
        title = f"make lab LAB={given.lab}"
        console.save_svg(str(given.record), title=title, code_format=OWN_FONTS, unique_id=given.lab)
    return status


if __name__ == "__main__":
    sys.exit(main())
