"""Many seeds on several machines at once, each in a process of its own; and what came of them, added up."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.queues import Queue
from pathlib import Path

from harness.ports import free_port
from tests.chaos.commands import PARTS, Script, draw
from tests.chaos.machine import Machine, Outcome

Ports = dict[str, int]


@dataclass
class Tally:
    """What came of many runs."""

    runs: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    failed: dict[int, Outcome] = field(default_factory=dict)
    acknowledged: int = 0
    found: int = 0
    seconds: float = 0.0

    def add(self, seed: int, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        self.seen += outcome.seen
        self.acknowledged += outcome.acknowledged
        self.found += outcome.found
        self.seconds += outcome.seconds
        if outcome.wrong:
            self.failed[seed] = outcome


class Campaign:
    """So many machines, each in a process of its own.

    Settings are those of the blog: `EVENT_STORE`, and `MUTANT` for a broken build.
    """

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self.pool = pool
        self.workers = workers

    def seeds(self, seeds: Iterable[int], **settings: str) -> Iterator[tuple[int, Outcome]]:
        """Run these seeds; yield each with its outcome, in the order in which they end.

        A caller that has seen enough stops iterating; no more runs begin than there are machines.
        """
        ahead = iter(seeds)
        running = {self._begin(seed, settings): seed for seed in islice(ahead, self.workers)}
        while running:
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for one in ended:
                yield running.pop(one), one.result()
                running |= {self._begin(seed, settings): seed for seed in islice(ahead, 1)}

    def _begin(self, seed: int, settings: dict[str, str]) -> Future[Outcome]:
        return self.pool.submit(run_seed, seed, settings)

    def script(self, script: Script, **settings: str) -> Outcome:
        """Run one script."""
        return self.pool.submit(run_script, script, settings).result()


@contextmanager
def campaign(workers: int) -> Iterator[Campaign]:
    """Start machines."""
    spawn = multiprocessing.get_context("spawn")
    ports: Queue[Ports] = spawn.Queue()
    with tempfile.TemporaryDirectory(prefix="minibus-chaos-") as folder:
        for _ in range(workers):
            ports.put({name: free_port() for name in PARTS})
        with ProcessPoolExecutor(workers, spawn, build, (ports, folder)) as pool:
            yield Campaign(pool, workers)


machine: Machine  # of this process


def build(ports: Queue[Ports], folder: str) -> None:
    """Build the machine of this process. It ends with the process, and its parts with it."""
    global machine  # noqa: PLW0603
    mine = ports.get()
    machine = Machine(Path(folder) / str(mine[PARTS[0]]), mine)


def run_seed(seed: int, settings: dict[str, str]) -> Outcome:
    """Run a seed on this process's machine."""
    return machine.run(draw(seed), settings)


def run_script(script: Script, settings: dict[str, str]) -> Outcome:
    """Run a script on this process's machine."""
    return machine.run(script, settings)
