"""Start the blog on a story, a prepared log: `make story` lists the stories, `make story STORY=NAME` starts one."""

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
MADE = {"long": "A long log: 100,000 events, to move back and forth in"}  # written when it is started
PATIENCE = 300  # seconds for the long one, on a slow machine


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
    """Pause every service at 0, import the story, and return the instructions. Exits if the bus rejects the story."""
    for service in SERVICES:
        ask("PATCH", f"/subscribers/{service}", json={"paused": True})
    with (DATA / "stories" / name / f"{name}.ndjson").open("rb") as file:
        count = ask("PUT", "/log", data=file, headers={"Content-Type": "application/x-ndjson"})["events"]
    return f"""
  {titles()[name]}

  The blog         {url("client")}
  The console      {url("event-bus")}/

  {count:,} events wait, and every service is paused at 0. Step in the console, or in another terminal:

    . .venv/bin/activate
    minibus step                     deliver the next event to each service, and show the story's note
    minibus step --count 10          several at once
    minibus replay query --step      step back and forth, handler by handler, without touching the services
    minibus resume                   deliver all the other events
"""


def ask(method: str, path: str, headers: dict[str, str] | None = None, **request: Any) -> Any:
    """Send a request to the bus; return its JSON. Exits with the error of the bus."""
    answer = session.request(
        method, url("event-bus") + path, headers=HEADERS | (headers or {}), timeout=PATIENCE, **request
    )
    if not answer.ok:
        sys.exit(f"The event bus rejects the story: {answer.json()['errors'][0]['message']}")
    return answer.json()


if __name__ == "__main__":
    for name, title in titles().items():
        print(f"{name:<21}{title}")
    print("\nStart one with: make story STORY=happy-path")
