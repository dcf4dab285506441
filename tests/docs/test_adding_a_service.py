"""The service of docs/adding-a-service.md in the console; tests/docs/pages types what that page says in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from harness.waiting import eventually
from infra.parts import SERVICES
from tests.support.seventh import SERVICE, WithNotifications


@pytest.fixture
def seven(tmp_path: Path) -> Iterator[WithNotifications]:
    blog = WithNotifications(tmp_path)
    try:
        blog.start(*blog.ports).ready()
        yield blog
    finally:
        blog.close()


def test_it_is_under_forty_lines() -> None:
    assert len(SERVICE.splitlines()) < 40


def test_it_has_a_lifeline_and_its_notes_come_from_there(seven: WithNotifications, browser: Browser) -> None:
    seven.write_about_tea()
    eventually(lambda: seven.get("notifications", "/notifications") == ["New under “Tea”: Earl Grey, please"])
    assert set(seven.get("event-bus", "/subscribers")) == {*SERVICES, "notifications"}

    tab = browser.new_page(viewport={"width": 1280, "height": 720})
    tab.goto(f"{seven.url('event-bus')}/#at=5&service=notifications")

    head = tab.locator('.head[data-name="notifications"]')
    expect(head).to_have_attribute("data-state", "live")
    row = tab.locator("#picture .row.event").filter(has_text="AuthorNotified")
    expect(row.locator(".arrow.deliver")).to_have_count(5)
    expect(tab.locator("#handler")).to_contain_text("keep_note notifications.py:")
    # A line has no box at the moment when the console draws the picture again.
    begins, above = eventually(row.locator(".arrow.publish line").bounding_box), eventually(head.bounding_box)
    assert begins
    assert above
    assert begins["x"] + begins["width"] == pytest.approx(above["x"] + above["width"] / 2, abs=2)
    tab.close()
