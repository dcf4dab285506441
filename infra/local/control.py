"""Stop, start and restart parts of the running blog, end it, and delete its data."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from xmlrpc.client import Fault

from supervisor.xmlrpc import Faults  # type: ignore[import-untyped]

from infra.local.processes import DATA, manager, our_processes, stop_everything
from infra.parts import PORTS, is_taken

# What Minibus writes into its data folder: the log, and a folder with the logs of stories.
WRITTEN = ("events.*", "stories")
PATIENCE = 30.0  # seconds


def stop(*parts: str) -> None:
    """Stop these parts."""
    for part in parts:
        try:
            manager().stopProcess(f"minibus:{part}")
            print(f"{part} is stopped")
        except Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                sys.exit(f"{part} does not stop: {fault.faultString}")
            print(f"{part} was not running")


def start(*parts: str) -> None:
    """Start these parts."""
    for part in parts:
        try:
            manager().startProcess(f"minibus:{part}")
            print(f"{part} is started" if listens(part) else f"{part} starts; see: make logs SERVICE={part}")
        except Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                sys.exit(f"{part} does not start; its last lines: make logs SERVICE={part}")
            print(f"{part} was running already")


def listens(part: str) -> bool:
    """Wait until a started part accepts requests, so that the next command reaches it; return False if time is up."""
    deadline = time.monotonic() + PATIENCE
    while not is_taken(PORTS[part]):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def restart(*parts: str) -> None:
    """Stop these parts and start them again."""
    stop(*parts)
    start(*parts)


def down() -> None:
    """End everything."""
    print("Everything is stopped." if stop_everything() else "Nothing was running.")


def reset() -> None:
    """Ask, then delete the data."""
    if our_processes():
        sys.exit("Minibus is running, and needs its log. End it first: make down")
    data = sorted(path for pattern in WRITTEN for path in DATA.glob(pattern))
    if not data:
        print(f"There is no data in {DATA}.")
        return
    print(f"This deletes every event in {DATA}: {', '.join(path.name for path in data)}")
    if not confirmed():
        print("Nothing is deleted.")
        return
    for path in data:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    print("The log is empty.")


def confirmed() -> bool:
    """Ask the user to confirm."""
    try:
        return input("Type yes to go on: ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        print()
        return False


COMMANDS: dict[str, Callable[..., None]] = {
    command.__name__: command for command in (stop, start, restart, down, reset)
}

if __name__ == "__main__":
    try:
        COMMANDS[sys.argv[1]](*sys.argv[2:])
    except (FileNotFoundError, ConnectionRefusedError):
        sys.exit("Minibus is not running. Start it with: make up")
