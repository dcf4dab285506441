"""Who is where a part should be, and what to do about it."""

from __future__ import annotations

import socket

import psutil
from parts import PORTS, our_processes


def who_is_in_the_way() -> list[str]:
    """Say who is where a part should be, and what to do about it."""
    if our_processes():
        return ["Minibus is running already. Look at it with: make status. End it with: make down"]
    taken = {port: part for part, port in PORTS.items() if is_taken(port)}
    owners = find_owners(set(taken)) if taken else {}
    return [complain(port, part, owners.get(port)) for port, part in taken.items()]


def is_taken(port: int) -> bool:
    """Tell whether anything answers, or at least does not refuse, at this port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    return True


def find_owners(ports: set[int]) -> dict[int, psutil.Process]:
    """Find who listens at these ports, among the processes that we may look at."""
    owners: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports:
                    owners.setdefault(connection.laddr.port, process)
        except psutil.Error:
            continue
    return owners


def complain(port: int, part: str, owner: psutil.Process | None) -> str:
    """Say who has this port, as far as we may know, and how to get it back."""
    if owner is None:
        return f"Port {port} ({part}) is in use by another program. End it first; what it is says: sudo lsof -i :{port}"
    known = owner.as_dict(["name", "cwd"])
    return f"Port {port} ({part}) is in use by {known['name']} in {known['cwd']}. End it first: kill {owner.pid}"
