"""Who is where a part should be, and what to do about it."""

from __future__ import annotations

import psutil

from infra.local.processes import our_processes
from infra.owners import find_owners
from infra.parts import PORTS, is_taken


def who_is_in_the_way() -> list[str]:
    """Say who is where a part should be, and what to do about it."""
    if our_processes():
        return ["Minibus is running already. Look at it with: make status. End it with: make down"]
    taken = {port: part for part, port in PORTS.items() if is_taken(port)}
    owners = find_owners(set(taken)) if taken else {}
    return [complain(port, part, owners.get(port)) for port, part in taken.items()]


def complain(port: int, part: str, owner: psutil.Process | None) -> str:
    """Say who has this port, as far as we may know, and how to get it back."""
    if owner is None:
        return f"Port {port} ({part}) is in use by another program. End it first; what it is says: sudo lsof -i :{port}"
    known = owner.as_dict(["name", "cwd"])
    return f"Port {port} ({part}) is in use by {known['name']} in {known['cwd']}. End it first: kill {owner.pid}"
