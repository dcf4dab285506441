"""Start the blog on a story, a prepared log: `make story` lists the stories, `make story STORY=NAME` starts one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from minibus.bus.client import BusAway, BusClient, BusRefused

from infra.local.processes import DATA
from infra.parts import ROOT, SERVICES, url

STORIES = ROOT / "labs" / "stories"
MADE = {"long": "A long log: 100,000 events, to move back and forth in"}  # written when it is started
TIMEOUT = (2.0, 60.0)  # seconds to connect, and for each piece of an answer


def titles() -> dict[str, str]:
    """Return the stories: name → title, which stands in the first event."""
    return {path.stem: read(path)[1]["story"] for path in sorted(STORIES.glob("*.ndjson"))} | MADE


def read(path: Path) -> list[Any]:
    """Return the header and the first event of a story's file."""
    with path.open("rb") as file:
        return [msgspec.json.decode(file.readline()) for _ in range(2)]


def prepare(name: str) -> str:
    """Create an empty data folder for a story; return its path. Exits if there is no such story."""
    if name not in titles():
        sys.exit(f"There is no story {name}. There are: {', '.join(titles())}")
    folder = DATA / "stories" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if name in MADE:
        print("Writing the story (some seconds) …", flush=True)
        subprocess.run([sys.executable, STORIES / "tell.py", name, folder], cwd=ROOT, check=True)
    else:
        shutil.copy(STORIES / f"{name}.ndjson", folder)
    return str(folder)


def begin(name: str) -> str:
    """Pause every service at 0, import the story; return what to do next. Exits with the bus's error message."""
    bus = BusClient(url("event-bus"), TIMEOUT)
    try:
        for service in SERVICES:
            bus.pause(service)
        with (DATA / "stories" / name / f"{name}.ndjson").open("rb") as file:
            count = bus.import_log(file)["events"]
    except (BusAway, BusRefused) as error:
        sys.exit(f"The story is not imported: {error}")
    return f"""
  {titles()[name]}

  The blog         {url("client")}
  The console      {url("event-bus")}/

  {count:,} events wait, and every service is paused at 0. Step in the console, or in another terminal:

    . .venv/bin/activate
    minibus step                     deliver the next event to each service, and read the story's note
    minibus step --count 10          deliver ten events to each
    minibus walk query --step        walk through the log, handler by handler; no service moves
    minibus resume                   deliver the rest of the log
"""


if __name__ == "__main__":
    for name, title in titles().items():
        print(f"{name:<21}{title}")
    print("\nStart one with: make story STORY=happy-path")
