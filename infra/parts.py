"""The table of the parts: each one's app and port, read from `[tool.minibus]` of its own pyproject.toml."""

from __future__ import annotations

import socket
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Part(NamedTuple):
    """What starts a part (`posts:app`), and the port at which it listens."""

    app: str
    port: int


def find_parts() -> dict[str, Part]:
    """Return the parts by name, in the order of their ports: every folder of `blog` but common. Exits on a bad one."""
    parts = {}
    for file in ROOT.glob("blog/*/pyproject.toml"):
        if file.parent.name == "common":
            continue
        try:
            settings = tomllib.loads(file.read_text())["tool"]["minibus"]
            parts[file.parent.name] = Part(settings["app"], settings["port"])
        except KeyError as missing:
            sys.exit(f"{file.relative_to(ROOT)} has no {missing}; it ends with [tool.minibus], app and port")
    return dict(sorted(parts.items(), key=lambda part: part[1].port))


PARTS = find_parts()
PORTS = {name: part.port for name, part in PARTS.items()}
SERVICES = tuple(name for name in PARTS if name not in ("client", "event-bus"))  # each is a fold of the log


def url(part: str) -> str:
    """Return the address of a part on this machine."""
    return f"http://127.0.0.1:{PORTS[part]}"


def is_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server listens at this port: it accepts a connection, or is too busy to."""
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except TimeoutError:
        return True
    except OSError:  # refused, or the machine has no such address
        return False
    return True
