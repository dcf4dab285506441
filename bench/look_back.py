"""Measure looking back into a log of 100,000 events: the time of a seek, and its cost for publishers meanwhile.

Run it with `.venv/bin/python -m bench.look_back`. The cost is a ratio of two rates of the same run, each the median of
interleaved rounds.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from minibus.bus.client import BusClient
from minibus.bus.session import new_session
from playwright.sync_api import Page, expect

from harness.blog import Blog
from harness.browser import chromium
from harness.waiting import eventually
from infra.parts import ROOT

SEEKS = 40
ROUNDS = 7
ROUND = 4.0  # seconds
PAUSE = 0.3  # seconds between two steps of a viewer


def main() -> None:
    """Fill a log, seek in it, publish with and without a viewer, open the console."""
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        story = Path(folder, "long.ndjson")
        subprocess.run([sys.executable, ROOT / "labs" / "stories" / "tell.py", "long", folder], cwd=ROOT, check=True)
        blog = Blog(Path(folder))
        try:
            blog.start("event-bus", "posts", "comments", "query", "moderation").ready()
            begun = time.monotonic()
            with story.open("rb") as file:
                BusClient(blog.url("event-bus")).import_log(file)
            print(f"import                {time.monotonic() - begun:6.1f} s")
            eventually(lambda: all(one["lag"] == 0 for one in blog.get("event-bus", "/subscribers").values()), 120)
            print(f"applied by all four   {time.monotonic() - begun:6.1f} s")
            seek(blog)
            compare(blog)
            open_console(blog)
        finally:
            blog.close()


def seek(blog: Blog) -> None:
    """Seek to random moments of the log, and step from its middle."""
    head = len_of(blog)
    seeks = [timed(lambda: look(blog, random.randrange(head))) for _ in range(SEEKS)]
    steps = [timed(partial(changes, blog, head // 2 + step)) for step in range(SEEKS)]
    for name, found in (("seek anywhere", seeks), ("one step", steps)):
        milliseconds = [1000 * seconds for seconds, _ in found]
        folded = max(answer["folded"] for _, answer in found)
        print(
            f"{name:<21} {statistics.median(milliseconds):6.0f} ms median, {max(milliseconds):.0f} ms worst, ", end=""
        )
        print(f"{folded:,} events folded at most")


def compare(blog: Blog) -> None:
    """Publish without a viewer and with a viewer who steps through the past, in turn."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for with_viewer, found in rates.items():
            done = threading.Event()
            viewer = threading.Thread(target=keep_stepping, args=(blog, done))
            if with_viewer:
                viewer.start()
            found.append(publish(blog))
            done.set()
            if with_viewer:
                viewer.join()
    without, with_it = (statistics.median(found) for found in rates.values())
    rounds = f"{ROUNDS} rounds of {ROUND:.0f} s each"
    print(f"publishing meanwhile    {with_it / without:.2f} of {without:.0f} events/s without a viewer ({rounds})")


def keep_stepping(blog: Blog, done: threading.Event) -> None:
    """Step through the log at the pace of a person, from a random moment on."""
    at = random.randrange(len_of(blog))
    while not done.wait(PAUSE):
        at += 1
        changes(blog, at)


def publish(blog: Blog) -> float:
    """Publish events one by one; return the rate in events a second."""
    session = new_session()
    count, end = 0, time.monotonic() + ROUND
    while time.monotonic() < end:
        event = {"type": "PostCreated", "data": {"id": f"bench{random.random()}", "title": "Measured"}}
        session.post(f"{blog.url('event-bus')}/events", json=event, timeout=10).raise_for_status()
        count += 1
    return count / ROUND


def open_console(blog: Blog) -> None:
    """Open the console on the long log, and seek in it."""
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 1280, "height": 720})
        head = len_of(blog)
        opened, _ = timed(lambda: show(tab, f"{blog.url('event-bus')}/", head))
        moments = [random.randrange(head) for _ in range(11)]
        sought = [timed(partial(show, tab, f"{blog.url('event-bus')}/#at={at}", at))[0] for at in moments]
        elements = tab.evaluate("document.querySelectorAll('*').length")
        seeks = f"seeks in {statistics.median(sought):.2f} s (median)"
        print(f"the console opens in    {opened:.2f} s, {seeks}, and has {elements:,} elements")


def show(tab: Page, address: str, at: int) -> None:
    """Open a URL, and wait until the page shows the moment `at`."""
    tab.goto(address)
    expect(tab.locator(f'#state[data-at="{at}"]')).to_be_visible(timeout=30_000)


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    """Return the duration of a call in seconds, and its result."""
    begun = time.perf_counter()
    answer = act()
    return time.perf_counter() - begun, answer


def look(blog: Blog, at: int) -> Any:
    return blog.get("event-bus", f"/subscribers/query/state?at={at}&last=30")


def changes(blog: Blog, to: int) -> Any:
    return blog.get("event-bus", f"/subscribers/query/changes?to={to}")


def len_of(blog: Blog) -> int:
    return blog.get("event-bus", "/subscribers/query")["position"]


if __name__ == "__main__":
    main()
