"""Find the programs that listen at ports."""

from __future__ import annotations

import psutil


def find_owners(ports: set[int]) -> dict[int, psutil.Process]:
    """Return the process that listens at each of these ports, as far as this user may see it."""
    owners: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN and connection.laddr.port in ports:
                    owners.setdefault(connection.laddr.port, process)
        except psutil.Error:
            continue
    return owners
