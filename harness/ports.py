"""Hand out free ports: no two processes on this machine get the same one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from infra.parts import is_taken

FIRST_PORT, LAST_PORT = 20_000, 32_000  # below those that the system hands out by itself
BLOCK = 400


def spare_ports() -> Iterator[int]:
    """Yield ports, in blocks. A block belongs to the process that listens at its first port."""
    with ExitStack() as guards:
        for first in range(FIRST_PORT, LAST_PORT, BLOCK):
            guard = guards.enter_context(socket.socket())
            with suppress(OSError):
                guard.bind(("127.0.0.1", first))
                guard.listen()
                yield from range(first + 1, first + BLOCK)


PORTS = spare_ports()
ONE_AT_A_TIME = threading.Lock()


def free_port() -> int:
    """Return a port that no process uses, and that no other caller gets."""
    while True:
        with ONE_AT_A_TIME:  # a generator cannot run in two threads
            port = next(PORTS)
        if not is_taken(port):
            return port
