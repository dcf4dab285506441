"""docs/teaching.md tells an instructor what to click: every key, button, story and lab, and the lessons themselves."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from harness.waiting import PATIENCE, eventually
from infra.parts import ROOT, SERVICES
from labs.__main__ import LABS
from tests.support.system import Blog

PAGE = (ROOT / "docs" / "teaching.md").read_text()
STATIC = ROOT / "blog" / "event-bus" / "event_bus" / "console" / "static"
CONSOLE = (ROOT / "blog" / "event-bus" / "event_bus" / "console" / "templates" / "console.html").read_text()
STORIES = ROOT / "labs" / "stories"
MINIBUS = str(Path(sys.executable).with_name("minibus"))


# -- the words --------------------------------------------------------------------------------------------------------


def test_every_story_and_lab_that_is_named_exists() -> None:
    stories = set(re.findall(r"STORY=([\w-]+)", PAGE))
    labs = set(re.findall(r"LAB=([\w-]+)", PAGE))

    assert stories
    assert labs
    assert stories - {path.stem for path in STORIES.glob("*.ndjson")} == set()
    assert labs - set(LABS) == set()


def test_the_keys_are_those_of_the_console() -> None:
    transport = (STATIC / "transport.js").read_text()
    [actions] = re.findall(r"const ACTIONS = {(.*?)^};", transport, re.DOTALL | re.MULTILINE)
    names = {"ArrowLeft": "←", "ArrowRight": "→", '" "': "space", '"."': ".", '"?"': "?"}
    keys = {names.get(key, key) for key in re.findall(r'^  ("."|\w+):', actions, re.MULTILINE)} | {"1", "5"}

    sheet = PAGE[PAGE.index("| key in the console") : PAGE.index("| command |")]
    rows = re.findall(r"^\| (.+?) \|", sheet, re.MULTILINE)[1:]

    assert {key.strip("`") for row in rows for key in re.split(r" … |, |(?<=←) ", row)} == keys
    assert {key for key in re.findall(r"<kbd>(.*?)</kbd>", CONSOLE) if key != "Shift"} == keys


def test_every_button_is_one_of_the_console() -> None:
    sources = CONSOLE + "".join(source.read_text() for source in STATIC.glob("*.js"))
    buttons = {words.replace("#0", "#${position}") for words in re.findall(r"\*\*([A-Z…][^*]+?)\*\*", PAGE)}

    assert "Replay live …" in buttons
    unknown = {words for words in buttons - {"The ritual."} if words.removeprefix("… ") not in sources}
    assert unknown == set()


# -- the lessons, clicked ---------------------------------------------------------------------------------------------


class Lesson:
    """A story with every service paused at 0, the console on the projector, and a terminal."""

    def __init__(self, blog: Blog, tab: Page, story: str) -> None:
        self.blog = blog
        self.tab = tab
        for service in SERVICES:
            assert blog.send("event-bus", f"/subscribers/{service}", {"paused": True}, "PATCH").ok
        headers = {"Content-Type": "application/x-ndjson"}
        file = (STORIES / f"{story}.ndjson").read_bytes()
        assert requests.put(f"{blog.url('event-bus')}/log", file, headers=headers, timeout=PATIENCE).ok
        tab.goto(blog.url("event-bus"))

    def click(self, words: str) -> None:
        self.tab.get_by_role("button", name=words, exact=True).click()

    def begin(self) -> None:
        """Step all services, from 0."""
        self.click("Replay live …")
        self.click("Continue from #0, where it is paused")
        self.stands_at(0)

    def right(self, times: int = 1) -> None:
        for _ in range(times):
            self.tab.keyboard.press("ArrowRight")

    def stands_at(self, position: int) -> None:
        """Wait until the class sees this moment."""
        expect(self.tab.locator("#mode")).to_contain_text(f"the blog shows query at #{position} of")

    def type(self, *command: str) -> None:
        environment = {"EVENT_BUS_URL": self.blog.url("event-bus"), "PATH": ""}
        subprocess.run([MINIBUS, *command], check=True, env=environment, capture_output=True, timeout=60)

    def statuses(self) -> list[str]:
        """Return what readers see of the comments."""
        return [status for comments in self.blog.page().values() for status in comments.values()]


@pytest.fixture
def lesson(new_blog: Blog, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Lesson]:
    new_blog.start().ready()
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        yield Lesson(new_blog, context.new_page(), request.param)


@pytest.mark.parametrize("lesson", ["happy-path"], indirect=True)
def test_lesson_2_the_life_of_a_comment(lesson: Lesson) -> None:
    lesson.begin()
    assert lesson.blog.page() == {}

    seen = []
    for position in range(1, 5):
        lesson.right()
        lesson.stands_at(position)
        seen.append((len(lesson.blog.page()), lesson.statuses()))

    assert seen == [(1, []), (1, ["pending"]), (1, ["pending"]), (1, ["approved"])]
    lesson.click("Put everything back")
    eventually(lambda: len(lesson.statuses()) > 10)


@pytest.mark.parametrize("lesson", ["query-was-down"], indirect=True)
def test_lesson_3_a_service_was_away(lesson: Lesson) -> None:
    lesson.begin()
    lesson.right(4)
    lesson.stands_at(4)

    lesson.type("step", "posts", "comments", "moderation", "--count", "10")
    assert len(lesson.blog.page()) == 1
    assert len(lesson.blog.get("posts", "/posts")) == 2

    lesson.tab.locator('.head[data-name="query"]').click()
    lesson.click("Resume it")
    eventually(lambda: len(lesson.blog.page()) == 2)
    lesson.click("Close")
    lesson.click("3 services are paused: resume them")
    expect(lesson.tab.locator("#put-back")).to_be_hidden()


@pytest.mark.parametrize("lesson", ["moderation-was-down"], indirect=True)
def test_lesson_4_for_ever_and_later(lesson: Lesson) -> None:
    lesson.begin()
    lesson.right(4)
    lesson.stands_at(4)

    lesson.type("step", "posts", "comments", "query", "--count", "3")
    assert lesson.statuses() == ["approved", "pending", "pending", "pending"]

    lesson.type("resume", "moderation")
    for _ in range(6):
        lesson.type("step", "query")
    assert lesson.statuses() == ["approved", "approved", "rejected", "approved"]
    assert len(lesson.blog.events()) == 13


@pytest.mark.parametrize("lesson", ["rejected-comment"], indirect=True)
def test_lesson_5_what_if(lesson: Lesson) -> None:
    lesson.type("resume")
    lesson.tab.locator("#rows li").filter(has_text="#8").click()
    expect(lesson.tab.locator("#mode")).to_contain_text("Look back at #8")

    lesson.click("… with what it caused")
    lesson.right(2)

    without = lesson.tab.locator("#without")
    expect(without).to_contain_text("What if: without #8 and what it caused. 1 thing is different.")
    lesson.click("All on again")
    expect(without).to_be_hidden()
