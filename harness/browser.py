"""The browser that drives pages: Chromium, quiet, found by `CHROMIUM` or on the PATH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-quic"),
]


def find_chromium() -> str:
    """Return the path of the browser that `CHROMIUM` names, or of one on the PATH; an empty string if there is none."""
    names = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else NAMES
    return next(filter(None, map(shutil.which, names)), "")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser. Raises `FileNotFoundError` where there is none."""
    path = find_chromium()
    if not path:
        raise FileNotFoundError("No Chromium found. Install it, or set CHROMIUM to the path of yours.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()
