"""Print the state of every part: `make status`."""

from __future__ import annotations

from typing import Any
from xmlrpc.client import Fault

from minibus.bus.client import BusAway, BusClient, BusRefused
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.local.processes import manager
from infra.parts import PORTS, url

TIMEOUT = (2.0, 2.0)  # seconds to connect, and for each piece of the answer
STYLES = {"running": "green", "starting": "yellow", "stopping": "yellow", "backoff": "yellow"}


def main() -> None:
    """Print the table of parts."""
    try:
        processes = {process["name"]: process for process in manager().getAllProcessInfo()}
    except (OSError, Fault):
        print("Minibus is not running. Start it with: make up")
        return
    subscribers = ask_bus()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("service", "process", "for", "address", "at the bus", "position", "lag"):
        table.add_column(column, justify="right" if column in ("for", "position", "lag") else "left")
    for part in PORTS:
        process, subscriber = processes[part], subscribers.get(part, {})
        state = process["statename"].lower()
        table.add_row(
            part,
            Text(state, STYLES.get(state, "red")),
            age(process["now"] - process["start"]) if state == "running" else "",
            url(part),
            *(str(subscriber.get(key, "")) for key in ("state", "position", "lag")),
        )
    Console().print(table)


def ask_bus() -> dict[str, Any]:
    """Return the descriptions of the bus's subscribers, or an empty dictionary if the bus does not answer."""
    try:
        return BusClient(url("event-bus"), TIMEOUT).subscribers()
    except (BusAway, BusRefused):
        return {}


def age(seconds: int) -> str:
    """Format a duration in s, min or h: `105 s`, `20 min`, `5 h`."""
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


if __name__ == "__main__":
    main()
