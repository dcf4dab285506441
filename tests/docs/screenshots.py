"""Take the pictures of the pages, most of them from the story of the happy path: `make screenshots`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import requests
from playwright.sync_api import Page, expect

from harness.browser import chromium
from harness.waiting import PATIENCE, eventually
from infra.parts import ROOT, SERVICES
from tests.support.gateway import one_origin
from tests.support.seventh import WithNotifications
from tests.support.system import Blog

STORY = ROOT / "labs" / "stories" / "happy-path.ndjson"
MOMENT = 17
PROJECTOR = {"width": 1280, "height": 720}

B = TypeVar("B", bound=Blog)


def main() -> None:
    """Start a blog for the story of the happy path, one for chapter 2, and one with a seventh part; look."""
    with chromium() as browser:
        tab = browser.new_page(viewport=PROJECTOR)  # type: ignore[arg-type]
        with a_blog(Blog) as blog:
            import_story(blog)
            console(tab, blog)
            the_blog(tab, blog)
        with a_blog(Blog) as blog:
            write_chapter_2(blog)
            live_replay(tab, blog)
        with a_blog(WithNotifications) as seven:
            a_seventh_part(tab, seven)


@contextmanager
def a_blog(kind: type[B]) -> Iterator[B]:
    """Start a blog of this kind, and end it."""
    with tempfile.TemporaryDirectory() as folder:
        blog = kind(Path(folder))
        try:
            blog.start(*blog.ports).ready()
            yield blog
        finally:
            blog.close()


def import_story(blog: Blog) -> None:
    """Fill the log with the story, and wait until every subscriber has applied it."""
    headers = {"Content-Type": "application/x-ndjson"}
    requests.put(
        f"{blog.url('event-bus')}/log", STORY.read_bytes(), headers=headers, timeout=PATIENCE
    ).raise_for_status()
    subscribers = f"{blog.url('event-bus')}/subscribers"
    eventually(lambda: all(one["lag"] == 0 for one in requests.get(subscribers, timeout=PATIENCE).json().values()))
    assert set(requests.get(subscribers, timeout=PATIENCE).json()) == set(SERVICES)


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


def write_chapter_2(blog: Blog) -> None:
    """Write what step 2.6 writes."""
    post = blog.write_post("Fruit")
    for number, content in enumerate(("An apple", "An orange"), 1):
        blog.write_comment(post, content)
        eventually(lambda number=number: len(blog.events()) == 1 + 3 * number)  # type: ignore[misc]
    blog.write_post("Meanwhile")


def live_replay(tab: Page, blog: Blog) -> None:
    """Show the console while query is replayed live, paused at the event that approves a comment."""
    tab.goto(f"{blog.url('event-bus')}/#service=query")
    expect(tab.locator("#mode")).to_contain_text("#8")
    tab.get_by_role("button", name="Replay live").click()
    tab.locator("#ask-yes").click()
    for position in range(5):
        expect(tab.locator("#mode")).to_contain_text(f"query at #{position} of 8")
        if position < 4:
            tab.keyboard.press("ArrowRight")
    expect(tab.locator("#handler .python")).to_be_visible()
    tab.screenshot(path=ROOT / "docs" / "replay.png")


if __name__ == "__main__":
    main()
