"""Dozens of random runs with faults keep every promise; every broken build is found out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.parts import ROOT
from tests.chaos.campaign import Campaign, Tally, campaign
from tests.chaos.mutants import MUTANTS

SEEDS = 24
IN_MEMORY = 6  # seeds
MORE = 60  # seeds, at most, until every fault has been seen
WORKERS = 3

# Each of these has to happen, or the test has not tested it.
FAULTS = {
    "kill",
    "stop",
    "freeze",
    "kill of the bus in the middle of a commit",
    "kill between applying and answering",
    "kill between applying and publishing",
    "delivery lost",
    "delivery done, its answer cut off",
    "delivery sent twice",
    "delivery late",
    "delivery out of order: broken off, and delivered later",
    "delivery out of order: a batch's second half first",
    "gap",
    "event parked",
    "publish lost",
    "publish done, its answer cut off",
    "publish sent twice",
    "publish late",
    "pause",
    "resume",
    "rewind",
    "step",
}

# What each broken build breaks first.
BROKEN = {
    "acknowledge before the commit": "was acknowledged and is not in the log",
    "take out of order": "every state is the fold of the log",
    "store twice": "more than once",
    "react only to what is new": "has 0 Comment",
}


@pytest.fixture(scope="module")
def machines() -> Iterator[Campaign]:
    with campaign(WORKERS) as machines:
        yield machines


@pytest.mark.timeout(1200)
def test_random_faults_break_no_promise_and_every_fault_is_seen_to_happen(machines: Campaign) -> None:
    tally = Tally()
    for seed, outcome in machines.seeds(range(SEEDS + MORE)):
        tally.add(seed, outcome)
        if tally.runs >= SEEDS and set(tally.seen) >= FAULTS:
            break

    assert {f"make chaos FIRST={seed}": outcome.wrong for seed, outcome in tally.failed.items()} == {}
    assert tally.acknowledged == tally.found > 5 * SEEDS
    assert FAULTS - set(tally.seen) == set()


@pytest.mark.timeout(600)
def test_with_memory_a_bus_that_runs_keeps_the_same_promises(machines: Campaign) -> None:
    tally = Tally()
    for seed, outcome in machines.seeds(range(IN_MEMORY), EVENT_STORE="memory"):
        tally.add(seed, outcome)

    assert {f"make chaos STORE=memory FIRST={seed}": outcome.wrong for seed, outcome in tally.failed.items()} == {}
    assert tally.seen["kill"] > 0
    assert tally.acknowledged == tally.found > 5 * IN_MEMORY


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_is_on_the_page_of_guarantees(fault: str) -> None:
    assert f"\n| {fault} |" in (ROOT / "docs" / "reference" / "guarantees.md").read_text()


def test_there_is_a_test_for_every_broken_build() -> None:
    assert set(BROKEN) == set(MUTANTS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_build_is_found_out(machines: Campaign, mutant: str) -> None:
    findings = (wrong for _, outcome in machines.seeds(range(100), MUTANT=mutant) for wrong in outcome.wrong)

    assert any(BROKEN[mutant] in wrong for wrong in findings)
