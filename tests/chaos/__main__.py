"""`make chaos SEEDS=500`: run many seeds, show the progress, and print the story of every seed that fails."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.campaign import Campaign, Tally, campaign
from tests.chaos.commands import Script, decode, draw, encode
from tests.chaos.machine import Outcome
from tests.chaos.mutants import MUTANTS
from tests.chaos.shrink import shrink
from tests.chaos.story import tell

FOLDER = Path("run/chaos")
SHRINKING = 180.0  # seconds for each seed that failed
TRIES = 3  # what hangs on time may fail only now and then

console = Console()


@click.command()
@click.option("--seeds", default=20, show_default=True, help="How many.")
@click.option("--first", default=0, show_default=True, help="The first of them.")
@click.option("--workers", default=2, show_default=True, help="How many blogs run at the same time.")
@click.option("--store", type=click.Choice(["sqlite", "memory"]), default="sqlite", show_default=True)
@click.option("--mutant", type=click.Choice(list(MUTANTS)), help="A broken build, to see it found out.")
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Run this script, as kept of a seed that failed, instead of seeds.",
)
def main(seeds: int, first: int, workers: int, store: str, mutant: str | None, script: Path | None) -> None:
    """Run random faults against the blog, and judge the result."""
    settings = {"EVENT_STORE": store, "MUTANT": mutant or ""}
    with campaign(workers) as machines:
        if script:
            outcome = machines.script(decode(script.read_text()), **settings)
            print_wrong("The script", outcome)
            sys.exit(bool(outcome.wrong))
        begun = time.monotonic()
        tally = run_all(machines, range(first, first + seeds), settings)
        print_tally(tally, time.monotonic() - begun)
        for seed, outcome in tally.failed.items():
            print_wrong(f"Seed {seed}", outcome)
            keep_story(machines, seed, outcome, settings)
    sys.exit(bool(tally.failed))


def run_all(machines: Campaign, seeds: range, settings: dict[str, str]) -> Tally:
    """Run the seeds, and show the progress."""
    tally = Tally()
    columns = ("{task.description}", "kills {task.fields[kills]}", "failed {task.fields[failed]}")
    with Progress(
        TextColumn(columns[0]), BarColumn(), MofNCompleteColumn(), *map(TextColumn, columns[1:]), TimeElapsedColumn(),
        console=console,
    ) as progress:  # fmt: skip
        task = progress.add_task("seeds", total=len(seeds), kills=0, failed=0)
        for seed, outcome in machines.seeds(seeds, **settings):
            tally.add(seed, outcome)
            progress.update(task, advance=1, kills=tally.seen["kill"], failed=len(tally.failed))
            if outcome.wrong:
                progress.console.print(f"seed {seed}: {outcome.wrong[0]}", style="red", markup=False)
    return tally


def print_tally(tally: Tally, seconds: float) -> None:
    """Show what happened, and how often."""
    table = Table("what happened", "times", title=f"{tally.runs} seeds in {seconds:.0f} s")
    table.columns[1].justify = "right"
    for what, times in sorted(tally.seen.items()):
        table.add_row(what, f"{times:,}")
    console.print(table)
    console.print(f"events acknowledged {tally.acknowledged:,}, of these in the log once {tally.found:,}")
    console.print(f"seeds that failed   {len(tally.failed)}")


def print_wrong(what: str, outcome: Outcome) -> None:
    """Show what is wrong."""
    for wrong in outcome.wrong:
        console.print(f"{what}: {wrong}", style="red", markup=False)
    if not outcome.wrong:
        console.print(f"{what}: every promise was kept.")


def keep_story(machines: Campaign, seed: int, outcome: Outcome, settings: dict[str, str]) -> None:
    """Make the script of a seed that failed as short as can be, and keep it and its story."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    script, told = FOLDER / f"seed-{seed}.script", FOLDER / f"seed-{seed}.ndjson"

    def keep(shorter: Script, its_outcome: Outcome) -> None:
        script.write_text(encode(shorter))
        told.write_bytes(tell(f"Seed {seed}: {its_outcome.wrong[0]}", its_outcome))

    def fails(shorter: Script) -> bool:
        for _ in range(TRIES):
            its_outcome = machines.script(shorter, **settings)
            if its_outcome.wrong:
                keep(shorter, its_outcome)
                return True
        return False

    keep(draw(seed), outcome)
    with console.status(f"Making seed {seed} shorter (at most {SHRINKING:.0f} s) …"):
        length = len(shrink(draw(seed), fails, SHRINKING))
    console.print(f"Seed {seed}, {length} commands: make chaos SCRIPT={script}", highlight=False)
    console.print(f"Its story: minibus import {told}", highlight=False)


if __name__ == "__main__":
    main()
