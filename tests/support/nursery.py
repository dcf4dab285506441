"""A nursery of processes: it imports what parts need once, and forks each part, which takes a fifth of a start.

The tests start parts a thousand times, and nearly all of a start is Python and the import of Flask. After the fork,
gunicorn runs with our settings as always. gevent patches gunicorn's worker before that imports anything;
here it patches the nursery: `python -m gevent.monkey --module tests.support.nursery`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress

# Imported for all children: libraries, and of our modules only those that read no settings.
import event_bus.log.store.sqlite  # noqa: F401
import flask_cors  # noqa: F401
import gevent
import prometheus_client  # noqa: F401
import psutil
import requests  # noqa: F401
from gevent import monkey
from gunicorn.app.wsgiapp import run
from gunicorn.workers import ggevent  # noqa: F401

fork = monkey.get_original("os", "fork")
waitpid = monkey.get_original("os", "waitpid")
ended: dict[int, int] = {}  # process id → exit status, because the system reports it only once


def fork_part(arguments: list[str], log: str, environment: dict[str, str]) -> int:
    """Fork, and become gunicorn with these arguments in the child; return the child's process id."""
    child: int = fork()
    if child:
        ended.pop(child, None)  # an earlier process of the same id
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(child, child)  # both do it, because either may be the first
        return child
    os.setpgid(0, 0)
    with open(log, "ab") as output, open(os.devnull, "rb") as nothing:
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source.fileno(), target)
    gevent.reinit()
    os.environ.clear()
    os.environ.update(environment)
    if mutant := environment.get("MUTANT"):
        from tests.chaos import mutants  # noqa: PLC0415  # of ours, and rare

        mutants.apply(mutant)
    sys.argv = arguments
    status = 0
    try:
        run()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    sys.stdout.flush()
    os._exit(status)


def status_of(child: int) -> int | None:
    """Return the exit status of a child as `subprocess` does, None while it runs."""
    if child not in ended:
        has_ended, status = waitpid(child, os.WNOHANG)
        if has_ended:
            ended[child] = os.waitstatus_to_exitcode(status)
    return ended.get(child)


def serve() -> None:
    """Answer every line of JSON: fork a part, or return the exit status of one. At the end of input, kill all parts."""
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(fork_part(**order) if isinstance(order, dict) else status_of(order)), flush=True)
    for part in psutil.Process().children():
        with suppress(ProcessLookupError):
            os.killpg(part.pid, signal.SIGKILL)


if __name__ == "__main__":
    serve()
