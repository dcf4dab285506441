"""Take the pictures of the pages, most of them from the story of the happy path: `make screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import requests
from playwright.sync_api import Page, expect, sync_playwright

from tests.conftest import CHROMIUM, QUIET
from tests.gateway import one_origin
from tests.seventh import WithNotifications
from tests.system import ROOT, SERVICES, Blog, eventually

STORY = ROOT / "labs" / "stories" / "happy-path.ndjson"
MOMENT = 17
PROJECTOR = {"width": 1280, "height": 720}


def main() -> None:
    """Start a blog, tell the story, look."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        blog = Blog(Path(folder))
        try:
            blog.start().ready()
            import_story(blog)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            tab = browser.new_page(viewport=PROJECTOR)  # type: ignore[arg-type]
            console(tab, blog)
            the_blog(tab, blog)
        finally:
            blog.close()
        seven = WithNotifications(Path(folder))
        try:
            seven.start(*seven.ports).ready()
            a_seventh_part(tab, seven)
            browser.close()
        finally:
            seven.close()


def import_story(blog: Blog) -> None:
    """Fill the log with the story, and wait until everybody has heard it."""
    headers = {"Content-Type": "application/x-ndjson"}
    requests.put(f"{blog.url('event-bus')}/log", STORY.read_bytes(), headers=headers, timeout=30).raise_for_status()
    subscribers = f"{blog.url('event-bus')}/subscribers"
    eventually(lambda: all(one["lag"] == 0 for one in requests.get(subscribers, timeout=5).json().values()))
    assert set(requests.get(subscribers, timeout=5).json()) == set(SERVICES)


def console(tab: Page, blog: Blog) -> None:
    """Show the console at a moment of the story."""
    tab.goto(f"{blog.url('event-bus')}/#at={MOMENT}&service=query")
    expect(tab.locator(f'#state[data-at="{MOMENT}"]')).to_be_visible()
    expect(tab.locator("#event .about")).to_contain_text(f"#{MOMENT} ")
    expect(tab.locator("#handler .python")).to_be_visible()
    expect(tab.locator("#rows .current")).to_be_in_viewport()
    tab.screenshot(path=ROOT / "docs" / "console.png")


def the_blog(tab: Page, blog: Blog) -> None:
    """Show the blog as it is in the end."""
    gateway = one_origin(blog)
    tab.goto(gateway.url)
    expect(tab.locator("article.post").first).to_be_visible()
    tab.screenshot(path=ROOT / "docs" / "blog.png")
    gateway.close()


def a_seventh_part(tab: Page, blog: WithNotifications) -> None:
    """Show the whiteboard with the lifeline of the service that a reader adds."""
    blog.write_about_tea()
    eventually(lambda: len(blog.events()) == 5)
    tab.goto(f"{blog.url('event-bus')}/#at=5&service=notifications")
    expect(tab.locator("#picture .row.event").last.locator(".arrow.deliver")).to_have_count(5)
    tab.locator("#board").screenshot(path=ROOT / "docs" / "adding-a-service.png")


if __name__ == "__main__":
    main()
