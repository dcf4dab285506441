"""Put a story, a prepared log, in front of a class: `make story` lists them, `make story STORY=NAME` begins one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from minibus.bus import session
from minibus.bus.token import HEADERS
from parts import DATA, ROOT, SERVICES, url

STORIES = ROOT / "labs" / "stories"
MADE = {"long": "A long log: 100,000 events, to go back and forth in"}  # on the spot
PATIENCE = 300  # seconds for the long one, on a slow machine


def titles() -> dict[str, str]:
    """Return the stories there are, each with its title, which its first event has."""
    return {path.stem: read(path)[1]["story"] for path in sorted(STORIES.glob("*.ndjson"))} | MADE


def read(path: Path) -> list[Any]:
    """Return the header of a story's file and its first event."""
    with path.open("rb") as file:
        return [msgspec.json.decode(file.readline()) for _ in range(2)]


def prepare(name: str) -> str:
    """Make the folder of a story anew; return it. Exits where there is no such story."""
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
    """Hold every service at 0, import the story, and say how to go on. Exits with what the bus refuses."""
    for service in SERVICES:
        ask("PATCH", f"/subscribers/{service}", json={"paused": True})
    with (DATA / "stories" / name / f"{name}.ndjson").open("rb") as file:
        count = ask("PUT", "/log", data=file, headers={"Content-Type": "application/x-ndjson"})["events"]
    return f"""
  {titles()[name]}

  The blog         {url("client")}
  The console      {url("event-bus")}/

  {count:,} events wait, and every service is held at 0. Step in the console, or in another terminal:

    . .venv/bin/activate
    minibus step                     let each service take the next event, and see what the story says
    minibus step --count 10          several at once
    minibus replay query --step      look back and forth, handler by handler; nothing that runs is touched
    minibus resume                   let all go on, to the end
"""


def ask(method: str, path: str, headers: dict[str, str] | None = None, **request: Any) -> Any:
    """Ask the bus; return its answer. Exits with what it refuses."""
    answer = session.request(
        method, url("event-bus") + path, headers=HEADERS | (headers or {}), timeout=PATIENCE, **request
    )
    if not answer.ok:
        sys.exit(f"The event bus refuses the story: {answer.json()['errors'][0]['message']}")
    return answer.json()


if __name__ == "__main__":
    for name, title in titles().items():
        print(f"{name:<21}{title}")
    print("\nBegin one with: make story STORY=happy-path")
