"""What the local scripts share: the connection to the process manager, and which processes belong to Minibus."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from infra.parts import ROOT

LOGS = ROOT / "run" / "logs"
SETTINGS = "infra/local/supervisord.conf"
STARTER = "infra.local.up"
DATA = ROOT / os.environ.get("DATA_DIR", "data")

LONGEST_SOCKET = 90  # bytes: systems allow 104 to 108, and supervisor adds its pid
PATIENCE = 2.5  # seconds until what does not stop is killed: five are promised for everything


def socket_path() -> str:
    """Return where the process manager listens: in `run`, or, from too deep a folder, among the temporary files."""
    path = str(ROOT / "run" / "supervisor.sock")
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    return f"{tempfile.gettempdir()}/minibus-{os.getuid()}-{hashlib.sha256(path.encode()).hexdigest()[:8]}.sock"


def manager() -> Any:
    """Return a proxy of the process manager. Its calls raise `OSError` where none is running."""
    transport = SupervisorTransport(None, None, f"unix://{socket_path()}")
    return ServerProxy("http://127.0.0.1", transport).supervisor


def our_processes() -> list[psutil.Process]:
    """Find every process of this folder's Minibus but this one, also what a crash left behind."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and is_ours(process)]


def is_ours(process: psutil.Process) -> bool:
    """Tell by its command and its folder whether a process belongs to this Minibus."""
    marks = (STARTER, SETTINGS, "--name minibus-")
    try:
        program, *words = process.cmdline() or [""]
        arguments = " ".join(words)
        is_python = "python" in Path(program).name.lower()
        return is_python and any(mark in arguments for mark in marks) and Path(process.cwd()) == ROOT
    except psutil.Error:
        return False


def runs(file: str, process: psutil.Process) -> bool:
    """Tell whether this file is among the process's arguments."""
    try:
        return file in process.cmdline()
    except psutil.Error:
        return False


is_manager = partial(runs, SETTINGS)
is_starter = partial(runs, STARTER)


def stop_everything() -> bool:
    """End all our processes within five seconds, politely first; False if there were none.

    `make up` ends by itself when the manager has, so its own time begins then.
    """
    processes = our_processes()
    # The manager stops its services itself; without it each has to be told.
    for process in list(filter(is_manager, processes)) or processes:
        with suppress(psutil.Error):
            process.terminate()
    deadline = time.monotonic() + PATIENCE
    # The manager first, or it would start again what is killed.
    while left := sorted(our_processes(), key=is_manager, reverse=True):
        for process in left:
            with suppress(psutil.Error):
                if time.monotonic() > deadline + is_starter(process) * PATIENCE:
                    process.kill()
        time.sleep(0.05)
    return bool(processes)
