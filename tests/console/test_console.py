"""The console in a real browser: the whiteboard, the log, any moment, and the class's own blog replayed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from minibus.bus.stamp import stamp
from minibus.core.event import Event, complete, seal, seal_reaction
from playwright.sync_api import Browser, Locator, Page, Route, expect

from harness.waiting import PATIENCE, eventually
from infra.parts import ROOT
from tests.support.machine import in_ci
from tests.support.system import Blog

PROJECTOR = {"width": 1280, "height": 720}


@pytest.fixture
def tab(browser: Browser, blog: Blog) -> Iterator[Page]:
    """A tab on the console, following the log."""
    with browser.new_context(viewport=PROJECTOR) as context:  # type: ignore[arg-type]
        yield open_console(context.new_page(), blog)


def open_console(tab: Page, blog: Blog, moment: str = "") -> Page:
    tab.goto(f"{blog.url('event-bus')}/{moment}")
    expect(tab.locator("#mode")).not_to_have_text("Connecting …")
    return tab


def tell(blog: Blog, title: str, *comments: str) -> str:
    """Write a post with comments; wait until all are judged, and all services have applied that."""
    post = blog.write_post(title)
    for comment in comments:
        blog.write_comment(post, comment)
    eventually(lambda: len(blog.page()[title]) == len(comments) and "pending" not in blog.page()[title].values())
    eventually(lambda: all(one["lag"] == 0 for one in blog.get("event-bus", "/subscribers").values()))
    return post


def head(blog: Blog) -> int:
    return blog.get("event-bus", "/subscribers/posts")["position"]


def mode(tab: Page) -> Locator:
    return tab.locator("#mode")


def at(tab: Page, position: int, service: str = "query") -> Locator:
    """Wait until the state at this position is shown."""
    state = tab.locator(f'#state[data-at="{position}"][data-service="{service}"]')
    expect(state).to_be_visible()
    return state


def press(tab: Page, *keys: str) -> None:
    for key in keys:
        tab.keyboard.press(key)


def api_state(blog: Blog, position: int, skip: str = "") -> Any:
    return blog.get("event-bus", f"/subscribers/query/state?at={position}&skip={skip}")["state"]


# -- what happens ----------------------------------------------------------------------------------------------------


def test_a_comment_written_in_the_blog_draws_its_chain_within_a_moment(tab: Page, blog: Blog, site: str) -> None:
    post = tell(blog, "Watched")
    before = head(blog)
    page = tab.context.new_page()
    page.goto(site)

    field = page.get_by_label("New Comment on Watched")
    field.fill("Look at the whiteboard")
    field.press("Enter")

    expect(mode(tab)).to_have_text(f"Live: following the log at #{before + 3}")
    names = ["CommentCreated", "CommentModerated", "CommentUpdated"]
    expect(tab.locator("#picture .row.event .label")).to_contain_text(names)
    rows = tab.locator("#picture .row.event")
    for number in range(1, 4):
        row = rows.filter(has_text=f"#{before + number}")
        expect(row.locator(".arrow.publish")).to_have_count(1)
        expect(row.locator(".arrow.deliver")).to_have_count(4)
    expect(tab.locator("#event .chain button")).to_contain_text(names)
    expect(at(tab, before + 3).locator(f'[data-id="{post}"] li')).to_have_attribute("data-status", "approved")
    expect(tab.locator("#state .changed small")).to_have_text("pending → approved")
    expect(tab.locator("#handler")).to_contain_text("update_comment query.py:")


def test_a_service_that_stops_turns_red_and_is_replayed_from_the_store(tab: Page, blog: Blog) -> None:
    tell(blog, "Before the stop")
    blog.stop("query")
    expect(tab.locator('.head[data-name="query"]')).to_have_attribute("data-state", "down")
    expect(tab.locator("#picture .life.down")).to_have_count(1)

    blog.write_post("Missed")
    expect(tab.locator("#picture .row.event .arrow.missed")).to_have_count(1)
    expect(tab.locator("#picture .cross")).to_have_count(1)
    expect(tab.locator("#state")).to_contain_text("query is down. Start it to look back.")

    blog.start("query").ready()
    expect(tab.locator('.head[data-name="query"]')).to_have_attribute("data-state", "live")
    # A registration that is in flight during the replay carries the old position: the bus replays once more.
    replay = tab.locator("#picture .row.replay").filter(has_text=f"replay #1 to #{head(blog)}").first
    expect(replay.locator(".arrow.replay")).to_have_count(1)
    expect(at(tab, head(blog)).locator("article").first).to_contain_text("Missed")


def test_a_service_with_a_long_name_has_all_of_it_above_its_lifeline(tab: Page, blog: Blog) -> None:
    word = {"url": "http://127.0.0.1:9", "after": head(blog)}
    assert blog.send("event-bus", "/subscribers/notifications", word, "PUT").ok

    expect(tab.locator('.head[data-name="notifications"]')).to_be_visible()
    cut_off = "names => names.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
    assert tab.locator("#heads b").evaluate_all(cut_off) == []

    assert blog.send("event-bus", "/subscribers/notifications", None, "DELETE").ok


def test_a_burst_folds_and_freezes_nothing(tab: Page, blog: Blog) -> None:
    before = head(blog)
    publish(blog, [seal(Event("PageTurned", {"page": number}), "/reader", **stamp()) for number in range(5_000)])

    expect(mode(tab)).to_have_text(f"Live: following the log at #{before + 5_000}")
    expect(tab.locator("#picture .row.burst").last).to_contain_text("\N{MULTIPLICATION SIGN} ")
    press(tab, "ArrowLeft")
    expect(mode(tab)).to_contain_text(f"Look back at #{before + 4_999}")
    assert tab.evaluate("document.querySelectorAll('*').length") < 2_000


def test_the_line_to_the_bus_is_lost_and_found_again(tab: Page, blog: Blog) -> None:
    blog.kill("event-bus")
    expect(tab.locator("#trouble")).to_contain_text("The event bus is away.")
    expect(mode(tab)).to_have_text("Not connected")

    blog.start("event-bus").ready()

    expect(tab.locator("#trouble")).to_be_hidden()
    expect(mode(tab)).to_contain_text("Live")
    tell(blog, "After the bus")
    expect(at(tab, head(blog))).to_contain_text("After the bus")


def test_nothing_moves_while_events_stream_in(tab: Page, blog: Blog) -> None:
    tell(blog, "Calm")
    at(tab, head(blog))
    tab.evaluate(
        """() => { window.shifts = 0;
          new PerformanceObserver((list) => list.getEntries().forEach((one) => (window.shifts += one.value)))
            .observe({ type: 'layout-shift' }); }"""
    )

    for number in range(5):
        tell(blog, f"Streaming {number}", "a comment")
    at(tab, head(blog))

    # The list goes on, and so does the state; nothing else may.
    assert tab.evaluate("window.shifts") < 0.1


def test_text_from_people_is_only_ever_text(tab: Page, blog: Blog) -> None:
    tell(blog, "<img src=x onerror=document.title='owned'>", "<script>document.title='owned'</script>")

    expect(at(tab, head(blog)).locator("h3").first).to_have_text("<img src=x onerror=document.title='owned'>")
    tab.locator("#show-json").click()
    tab.locator("#event summary").click()
    expect(tab.locator("#event pre")).to_contain_text("<script>")
    assert tab.title() == "Minibus console"


# -- looking back ----------------------------------------------------------------------------------------------------


def test_steps_by_keys_show_what_the_api_says_and_touch_nothing(tab: Page, blog: Blog) -> None:
    for number in range(4):
        tell(blog, f"Looked at {number}", "one", "an orange")
    log, page = blog.events(), blog.page()
    end = len(log)
    deliveries = requests.get(blog.url("event-bus") + "/metrics", timeout=PATIENCE).text.count("minibus_delivery")
    tab.locator("#show-json").click()
    middle = end - 14
    open_console(tab, blog, f"#at={middle}&service=query&show=json")

    def shows(position: int) -> None:
        state = at(tab, position)
        assert json.loads(state.inner_text()) == window(blog, position)

    shows(middle)
    for step in range(1, 11):
        press(tab, "ArrowRight")
        shows(middle + step)
    for step in range(1, 6):
        press(tab, "ArrowLeft")
        shows(middle + 10 - step)
    for key, position in (
        ("Shift+ArrowLeft", middle - 5),
        ("PageDown", middle - 4),
        ("PageUp", middle - 5),
        ("Home", 0),
        ("PageDown", 1),
        ("End", end),
    ):
        press(tab, key)
        expect(tab.locator("#position")).to_have_text(f"#{position} of {end}")
    expect(mode(tab)).to_contain_text("Live")
    assert (blog.events(), blog.page()) == (log, page)
    assert (
        requests.get(blog.url("event-bus") + "/metrics", timeout=PATIENCE).text.count("minibus_delivery") == deliveries
    )


def window(blog: Blog, position: int) -> Any:
    """Return what a page of 30 entities shows of query's state."""
    path = f"/subscribers/query/changes?to={position}"
    ids = ",".join(change["path"][0] for change in blog.get("event-bus", path)["changes"])
    return blog.get("event-bus", f"/subscribers/query/state?at={position}&last=30&ids={ids}")["state"]


@pytest.mark.parametrize("variant", ["", "&skip=1*"])
def test_each_key_press_makes_one_request(tab: Page, blog: Blog, variant: str) -> None:
    tell(blog, "Asked for once", "an orange", "an apple")
    end = head(blog)
    tab.goto("about:blank")
    with tab.expect_response("**/whiteboard/ticks"):
        open_console(tab, blog, f"#at={end - 6}&service=query{variant}")
    at(tab, end - 6)
    expect(tab.locator("#rows .type").filter(has_text="…")).to_have_count(0)
    requested: list[str] = []
    tab.on("request", lambda request: requested.append(request.url.removeprefix(blog.url("event-bus"))))
    moves = [("ArrowRight", end + step) for step in range(-5, 0)] + [("ArrowLeft", end - 2), ("PageUp", end - 3)]

    for key, position in moves:
        press(tab, key)
        at(tab, position)
        expect(tab.locator("#event .about")).to_contain_text(f"#{position} ")

    # Chromium loads the page's icon again whenever the address changes.
    asked = [path for path in requested if path != "/static/favicon.svg"]
    assert asked == [f"/subscribers/query/moment?at={position}&last=30{variant}" for _, position in moves]


def test_it_plays_by_itself_and_stops(tab: Page, blog: Blog) -> None:
    end = head(blog)
    open_console(tab, blog, f"#at={end - 3}&service=query")

    press(tab, "5", " ")

    expect(tab.locator("#position")).to_have_text(f"#{end} of {end}")
    expect(tab.locator("#play")).to_have_text("Play")
    expect(tab.locator("#speed")).to_have_text("5")


def test_another_service_shows_its_own_state_and_handler(tab: Page, blog: Blog) -> None:
    tell(blog, "Seen by comments", "mine")
    end = head(blog)
    at(tab, end)

    tab.locator("#service").select_option("comments")
    press(tab, "ArrowLeft")

    expect(at(tab, end - 1, "comments").locator("li", has_text="mine")).to_have_class("changed")
    expect(tab.locator("#handler")).to_contain_text("decide comments.py:")
    tab.locator("#service").select_option("moderation")
    expect(at(tab, end - 1, "moderation")).to_contain_text("moderation keeps no state")


def test_what_if_a_post_had_not_happened(tab: Page, blog: Blog) -> None:
    post = tell(blog, "Switched off", "on nothing")
    end = head(blog)
    seq = next(event["seq"] for event in blog.events() if event["data"].get("id") == post)
    open_console(tab, blog, f"#at={seq}&service=query")
    expect(tab.locator("#event .about")).to_contain_text(f"#{seq} PostCreated")

    tab.locator("#event").get_by_role("button", name="Switch off").click()
    press(tab, "End")

    expect(tab.locator("#without")).to_contain_text(f"What if: without #{seq}. 1 thing is different.")
    expect(at(tab, end)).not_to_contain_text("Switched off")
    expect(tab.locator("#trouble")).to_be_hidden()
    assert post in blog.get("query", "/posts")
    tab.locator("#without").get_by_role("button", name="All on again").click()
    expect(at(tab, end)).to_contain_text("Switched off")


def test_a_switch_waits_for_the_event_that_it_switches_off(tab: Page, blog: Blog) -> None:
    tell(blog, "Not this one", "an apple")
    end = head(blog)
    at(tab, end)
    expect(tab.locator("#event .about")).to_contain_text(f"#{end} ")
    delayed: list[Route] = []

    def delay(route: Route) -> None:
        delayed.append(route)

    tab.route("**/moment?*", delay)

    press(tab, "ArrowLeft")

    switch = tab.locator("#event").get_by_role("button", name="Switch off")
    expect(mode(tab)).to_contain_text(f"Look back at #{end - 1}")
    expect(switch).to_be_disabled()
    for route in delayed:
        route.continue_()
    tab.unroute("**/moment?*", delay)
    switch.click()
    expect(tab.locator("#without")).to_contain_text(f"What if: without #{end - 1}.")


def test_an_event_is_switched_off_with_what_it_caused_and_the_moment_can_be_shared(
    tab: Page, browser: Browser, blog: Blog
) -> None:
    tell(blog, "Shared", "an orange")
    end = head(blog)
    open_console(tab, blog, f"#at={end - 2}&service=query")
    expect(tab.locator("#event .about")).to_contain_text(f"#{end - 2} ")
    tab.locator("#event").get_by_role("button", name="… with what it caused").click()
    expect(tab.locator("#without")).to_contain_text("1 thing is different")
    shown = at(tab, end - 2).inner_text()

    with browser.new_context(viewport=PROJECTOR) as other:  # type: ignore[arg-type]
        visitor = open_console(other.new_page(), blog, tab.url.partition("/")[2].partition("/")[2].partition("/")[2])

        expect(visitor.locator("#without")).to_contain_text(f"without #{end - 2} and what it caused")
        assert at(visitor, end - 2).inner_text() == shown
        press(visitor, "ArrowRight")
        at(visitor, end - 1)
    tab.reload()
    expect(mode(tab)).to_have_text(f"Look back at #{end - 2} of {end}: the running services stay as they are")
    assert at(tab, end - 2).inner_text() == shown


def test_an_address_typed_while_the_page_changes_is_the_one_that_counts(tab: Page, blog: Blog) -> None:
    tell(blog, "Somewhere to go")
    expect(mode(tab)).to_have_text(f"Live: following the log at #{head(blog)}")

    # The browser tells of a new address a moment later, and the page was about to write its own.
    tab.evaluate("() => { location.hash = 'at=1&service=query'; document.querySelector('#show-json').click(); }")

    expect(mode(tab)).to_contain_text("Look back at #1 of")
    assert "at=1&" in tab.url


def test_the_log_is_filtered_by_type_and_by_text(tab: Page, blog: Blog) -> None:
    tell(blog, "A needle in the log", "hay", "more hay")

    tab.locator("#text").fill("NEEDLE in")
    expect(tab.locator("#rows li")).to_have_count(1)
    expect(tab.locator("#rows li")).to_contain_text("PostCreated")
    tab.locator("#text").fill("more hay")
    expect(tab.locator("#rows li")).to_have_count(3)
    tab.locator("#type").select_option("CommentModerated")
    expect(tab.locator("#rows li")).to_have_count(1)
    tab.locator("#rows .go").click()

    expect(tab.locator("#event .about")).to_contain_text("CommentModerated")


# -- the class's own blog, replayed ----------------------------------------------------------------------------------


@pytest.fixture
def own(new_blog: Blog) -> Blog:
    """A blog of a test's own, with a short story: six events."""
    new_blog.start().ready()
    tell(new_blog, "First", "fine")
    tell(new_blog, "Second")
    tell(new_blog, "Third")
    return new_blog


def test_the_real_query_is_sent_back_stepped_and_put_back(browser: Browser, own: Blog) -> None:
    with browser.new_context(viewport=PROJECTOR) as context:  # type: ignore[arg-type]
        tab = open_console(context.new_page(), own)
        tab.get_by_role("button", name="Replay live").click()
        expect(tab.locator("#ask")).to_contain_text("query forgets its state")
        tab.locator("#ask-no").click()
        assert len(own.page()) == 3

        tab.get_by_role("button", name="Replay live").click()
        tab.locator("#ask-yes").click()
        expect(mode(tab)).to_have_text("Replaying live: the blog shows query at #0 of 6")
        assert own.page() == {}
        for step, page in enumerate(({"First": {}}, {"First": {"fine": "pending"}}, {"First": {"fine": "pending"}}), 1):
            press(tab, "ArrowRight")
            expect(mode(tab)).to_have_text(f"Replaying live: the blog shows query at #{step} of 6")
            assert own.page() == page
        press(tab, "ArrowLeft", "ArrowLeft")
        expect(mode(tab)).to_have_text("Replaying live: the blog shows query at #1 of 6")
        assert own.page() == {"First": {}}

        tab.locator("#put-back").click()
        expect(mode(tab)).to_have_text("Live: following the log at #6")
        eventually(lambda: own.page() == {"First": {"fine": "approved"}, "Second": {}, "Third": {}})


def test_a_tab_that_is_closed_in_the_middle_leaves_a_sign_and_another_puts_it_back(browser: Browser, own: Blog) -> None:
    with browser.new_context(viewport=PROJECTOR) as context:  # type: ignore[arg-type]
        tab = open_console(context.new_page(), own)
        tab.get_by_role("button", name="Replay live").click()
        tab.locator("#ask-yes").click()
        expect(mode(tab)).to_have_text("Replaying live: the blog shows query at #0 of 6")
        press(tab, "ArrowRight")
        expect(mode(tab)).to_have_text("Replaying live: the blog shows query at #1 of 6")
        tab.close()

        another = open_console(context.new_page(), own)
        expect(another.locator("#put-back")).to_have_text("query is paused at #1: resume it")
        another.locator("#put-back").click()

        eventually(lambda: len(own.page()) == 3)
        expect(another.locator("#put-back")).to_be_hidden()


def test_the_controls_of_a_subscriber_show_what_the_bus_answers(browser: Browser, own: Blog) -> None:
    with browser.new_context(viewport=PROJECTOR) as context:  # type: ignore[arg-type]
        tab = open_console(context.new_page(), own)
        tab.locator('.head[data-name="moderation"]').click()
        answer = tab.locator("#subscriber-answer")
        tab.get_by_role("button", name="Pause it here").click()
        expect(answer).to_have_text("Paused at #6.")
        expect(tab.locator("#subscriber-facts")).to_contain_text("paused")
        tab.get_by_role("button", name="Deliver one event").click()
        expect(answer).to_have_text("0 delivered; the position is #6.")
        tab.get_by_role("button", name="Resume it", exact=True).click()
        expect(answer).to_have_text("Resumed at #6 of 6.")
        tab.locator("#subscriber .close").click()
        own.stop("moderation")
        expect(tab.locator('.head[data-name="moderation"]')).to_have_attribute("data-state", "down")
        tab.locator('.head[data-name="moderation"]').click()
        tab.get_by_role("button", name="Replay from the beginning").click()
        tab.locator("#ask-yes").click()
        expect(answer).to_have_text("moderation is down at 6 of 6; start it and try again.")


def test_with_a_token_the_console_asks_for_it_once(browser: Browser, new_blog: Blog) -> None:
    new_blog.settings = {"BUS_TOKEN": "s3cret"}
    new_blog.start().ready()
    with browser.new_context(viewport=PROJECTOR) as context:  # type: ignore[arg-type]
        tab = context.new_page()
        tab.goto(new_blog.url("event-bus"))
        tab.locator("#token").fill("guessed")
        tab.locator("#token").press("Enter")
        expect(tab.locator("#token-error")).to_have_text("This is not the bus's token.")
        expect(tab.locator("button.head")).to_have_count(0)

        tab.locator("#token").fill("s3cret")
        tab.locator("#token").press("Enter")

        expect(mode(tab)).to_have_text("Live: following the log at #0")
        new_blog.write_post("Behind a token")
        expect(at(tab, 1)).to_contain_text("Behind a token")
        [cookie] = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        tab.get_by_role("button", name="Replay live").click()
        tab.locator("#ask-yes").click()
        expect(mode(tab)).to_have_text("Replaying live: the blog shows query at #0 of 1")


# -- a long log ------------------------------------------------------------------------------------------------------


def test_a_log_of_100_000_events_opens_and_seeks_with_little(
    browser: Browser, new_blog: Blog, record_property: Callable[[str, object], None]
) -> None:
    new_blog.start("event-bus", "query")
    publish_a_long_story(new_blog, 100_000)
    end = 100_000
    eventually(lambda: new_blog.get("event-bus", "/subscribers/query")["position"] == end)
    with browser.new_context(viewport=PROJECTOR) as context:  # type: ignore[arg-type]
        tab = context.new_page()
        fetched: list[int] = []
        tab.on("requestfinished", lambda request: fetched.append(request.sizes()["responseBodySize"]))
        folded: list[int] = []
        tab.on("response", lambda answer: folded.append(answer.json()["folded"]) if "/moment?" in answer.url else None)

        open_console(tab, new_blog)
        at(tab, end)
        for position in (50_000, 12_345, 99_999, 1):
            tab.evaluate(f"location.hash = 'at={position}&service=query'")
            at(tab, position)
            expect(tab.locator("#event .about")).to_contain_text(f"#{position} ")
            assert tab.evaluate("document.querySelectorAll('*').length") < 2_000
        tab.locator("#list").evaluate("(list) => { list.scrollTop = list.scrollHeight / 3; }")
        expect(tab.locator("#rows")).to_contain_text("#33330")
        tab.locator("#text").fill("comment 7 on 11000,")
        expect(tab.locator("#rows li").first).to_contain_text("Comment")

        assert tab.evaluate("document.querySelectorAll('*').length") < 2_000
        assert sum(fetched) < 4_000_000, "of a log of 33 MB"
        assert max(folded) <= 4_000
    record_property("fetched", f"{sum(fetched):,} bytes")


def publish_a_long_story(blog: Blog, length: int) -> None:
    """Publish posts with ordinary comments, as many events as this."""
    log: list[dict[str, Any]] = []
    number = 0
    while len(log) < length:
        number += 1
        log.append(seal(Event("PostCreated", {"id": f"p{number}", "title": f"Post {number}"}), "/posts", **stamp()))
        for index in range(2 if number % 2 else 14):
            comment = {"id": f"c{number}-{index}", "postId": f"p{number}", "status": "pending"}
            comment["content"] = f"comment {index} on {number}, of an ordinary length"
            created = complete(seal(Event("CommentCreated", comment), "/comments", **stamp()), **stamp())
            verdict = {**comment, "status": "approved"}
            judged = seal_reaction(Event("CommentModerated", verdict), "/moderation", created, 0, **stamp())
            updated = seal_reaction(Event("CommentUpdated", verdict), "/comments", judged, 0, **stamp())
            log += [created, complete(judged, **stamp()), complete(updated, **stamp())]
    publish(blog, log[:length])


def publish(blog: Blog, events: list[dict[str, Any]]) -> None:
    """Publish these events in batches."""
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    for begin in range(0, len(events), 1_000):
        body = json.dumps(events[begin : begin + 1_000])
        answer = requests.post(blog.url("event-bus") + "/events", data=body, headers=headers, timeout=PATIENCE)
        assert answer.ok, answer.text


# -- accessibility ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, from npm."""
    if not shutil.which("npm"):
        in_ci("the accessibility checker comes from npm")
    folder = ROOT / "tests" / "console" / "axe"
    if not (folder / "node_modules" / ".package-lock.json").exists():
        subprocess.run(["npm", "ci"], cwd=folder, check=True, timeout=4 * PATIENCE, capture_output=True)
    return Path(folder, "node_modules", "axe-core", "axe.min.js").read_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_accessibility_checker_finds_nothing_serious(
    browser: Browser, blog: Blog, site: str, axe: str, scheme: str
) -> None:
    tell(blog, f"Accessible in {scheme}", "fine", "an orange")
    end = head(blog)
    console = blog.url("event-bus")
    with browser.new_context(viewport=PROJECTOR, color_scheme=scheme) as context:  # type: ignore[arg-type]
        tab = context.new_page()
        for address in (site, f"{console}/", f"{console}/#at={end - 2}&skip={end - 6}*", f"{console}/#show=json"):
            tab.goto("about:blank")
            tab.goto(address)
            if address != site:
                at(tab, end - 2 if "at=" in address else end)
            assert serious(tab, axe) == [], address
        for key, dialog in (("?", "#keys"), ("", "#subscriber")):
            press(tab, key) if key else tab.locator('.head[data-name="query"]').click()
            expect(tab.locator(dialog)).to_be_visible()
            assert serious(tab, axe) == [], dialog
            tab.locator(f"{dialog} .close").click()


def serious(tab: Page, axe: str) -> list[str]:
    """Run the checker; return what it calls serious or critical, each with its place."""
    tab.evaluate(axe)
    found = tab.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_every_control_is_reached_by_keyboard(tab: Page, blog: Blog) -> None:
    tell(blog, "By keyboard")
    at(tab, head(blog))
    controls = tab.evaluate(
        """() => [...document.querySelectorAll('button, select, input, a[href], summary')]
          .filter((one) => one.checkVisibility() && one.tabIndex >= 0).length"""
    )

    reached = set()
    for _ in range(controls + 20):
        press(tab, "Tab")
        place = tab.evaluate(
            """() => { const one = document.activeElement; const all = [...document.querySelectorAll('*')];
              return one.matches('button, select, input, a, summary') ? all.indexOf(one) : -1; }"""
        )
        reached.add(place)

    assert len(reached - {-1}) == controls


def test_less_motion_is_respected(browser: Browser, blog: Blog) -> None:
    with browser.new_context(viewport=PROJECTOR, reduced_motion="reduce") as context:  # type: ignore[arg-type]
        tab = open_console(context.new_page(), blog)
        blog.write_post("Quietly")
        expect(tab.locator("#picture .row.event").last).to_contain_text("PostCreated")

        assert tab.evaluate("document.getAnimations().length") == 0
