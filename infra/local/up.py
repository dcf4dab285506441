"""Start the whole blog or a story, print the logs, and end it with Ctrl-C: `make up`, `make story`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from string import Template
from xmlrpc.client import Fault

import requests
from minibus.bus.session import request

from infra.local.logs import Log, follow, show
from infra.local.ports import who_is_in_the_way
from infra.local.processes import LOGS, SETTINGS, manager, socket_path, stop_everything
from infra.local.story import begin, prepare
from infra.parts import PARTS, PORTS, ROOT, SERVICES, url

PROBES = {part: "/readyz" if part in SERVICES else "/healthz" for part in PORTS}
PATIENCE = 2.0  # seconds between two lines that say which part is not ready
LAST_LINES = 12


def main(story: str | None = None) -> int:
    """Check the ports, start the parts, wait until they are ready, follow their logs; return the exit status."""
    if complaints := who_is_in_the_way():
        print("\n".join(complaints))
        return 1
    if story:
        os.environ["DATA_DIR"] = prepare(story)
    stop = stop_signal()
    LOGS.mkdir(parents=True, exist_ok=True)
    logs = [Log(part) for part in PORTS]
    for log in logs:
        log.new_lines()
    process_manager = start()

    def goes_on() -> bool:
        return not stop.is_set() and process_manager.poll() is None

    try:
        if failed := wait_until_ready(goes_on):
            show_last_lines([log for log in logs if log.part in failed])
            return 1
        if goes_on() and story:
            print(begin(story))
        elif goes_on():
            print(f"\n  The blog         {url('client')}\n  The console      {url('event-bus')}\n")
        if goes_on():
            print("Ctrl-C ends everything. The logs of the services:", flush=True)
        follow(logs, goes_on)
        return process_manager.returncode or 0
    finally:
        stop_everything()
        process_manager.wait()
        print("Everything is stopped.")


def stop_signal() -> threading.Event:
    """Return an event that Ctrl-C, SIGTERM and a closed terminal set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup a closed terminal must not end this program.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.set())
    return stop


def start() -> subprocess.Popen[bytes]:
    """Start the process manager in a session of its own, so that Ctrl-C reaches only this program."""
    print("Starting Minibus", flush=True)
    (ROOT / "run" / "parts.conf").write_text(programs())
    return subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", SETTINGS],
        cwd=ROOT,
        env={**os.environ, "MINIBUS_SOCKET": socket_path()},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def programs() -> str:
    """Return the process manager's settings for every part, because supervisor has no settings for all programs."""
    program = Template((ROOT / "infra" / "local" / "part.conf").read_text())
    written = [program.substitute(name=name, app=part.app, port=part.port) for name, part in PARTS.items()]
    # Supervisor stops the programs of one group all at once, and separate programs one by one.
    return "\n".join([f"[group:minibus]\nprograms = {', '.join(PARTS)}\n", *written])


def wait_until_ready(goes_on: Callable[[], bool]) -> list[str]:
    """Wait until every part is ready, and print which is not; return the parts whose process has ended."""
    waiting = dict.fromkeys(PORTS, "")
    said = time.monotonic()
    while waiting and goes_on():
        time.sleep(0.1)
        if failed := failures():
            return failed
        waiting = {part: reason for part in waiting if (reason := what_is_missing(part))}
        if time.monotonic() > said + PATIENCE:
            said = time.monotonic()
            for part, reason in waiting.items():
                show(part, reason)
    return []


def failures() -> list[str]:
    """Return the parts whose process has ended."""
    try:
        processes = manager().getAllProcessInfo()
    except (OSError, Fault):
        return []
    return [process["name"] for process in processes if process["stop"]]


def what_is_missing(part: str) -> str:
    """Return why this part is not ready, or an empty string."""
    try:
        answer = request("GET", url(part) + PROBES[part], timeout=0.5)
        return "" if answer.ok else answer.json()["errors"][0]["message"]
    except (requests.RequestException, LookupError, ValueError):
        return "waiting for its first answer"


def show_last_lines(logs: Iterable[Log]) -> None:
    """Print the end of the logs of the parts that failed."""
    for log in logs:
        print(f"\n{log.part} does not start. The end of run/logs/{log.part}.log says why:")
        for line in log.new_lines()[-LAST_LINES:]:
            show(log.part, line)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
