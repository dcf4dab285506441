"""A nursery of processes: everything is imported once, and each part is a fork, up in a tenth of the time.

A part is killed a thousand times here, and starting Python and importing Flask is nearly all that a start costs. From
the fork on it is gunicorn with our settings, as ever. gevent patches gunicorn's worker before that imports anything;
here it patches the nursery: `python -m gevent.monkey --module tests.chaos.nursery`.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import event_bus.app  # noqa: F401  # imported for all its children
import gevent
import minibus.service  # noqa: F401
import psutil
from gevent import monkey
from gunicorn.app.wsgiapp import run
from gunicorn.workers import ggevent  # noqa: F401

from tests.chaos import mutants

CONFIGURATION = "blog/common/gunicorn.conf.py"


def fork_part(app: str, log: str, environment: dict[str, str]) -> int:
    """Fork, and become this part in the child; return the child's process group."""
    child: int = monkey.get_original("os", "fork")()
    os.setpgid(child, child)  # both say it, because neither knows who comes first
    if child:
        return child
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with open(log, "ab") as output, open(os.devnull, "rb") as nothing:
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source.fileno(), target)
    gevent.reinit()
    os.environ.update(environment)
    mutants.apply(environment.get("MUTANT", ""))
    sys.argv = ["gunicorn", "-c", CONFIGURATION, app]
    run()
    os._exit(0)


def serve() -> None:
    """Fork a part for every line of JSON; with the last line all of them end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them, so they leave no zombies
    for line in sys.stdin:
        print(fork_part(**json.loads(line)), flush=True)
    for part in psutil.Process().children():
        os.killpg(part.pid, signal.SIGKILL)


if __name__ == "__main__":
    serve()
