"""The page in a real browser, behind one origin as with an ingress; two tabs, faults, keyboard, phone, dark."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from harness.waiting import eventually
from tests.support.system import Blog


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A tab on the blog."""
    with browser.new_context() as context:
        yield open_tab(context.new_page(), site)


def open_tab(tab: Page, site: str) -> Page:
    with tab.expect_response("**/posts/stream"):
        tab.goto(site)
    return tab


def title_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Title", exact=True)


def write_post(page: Page, title: str) -> None:
    title_field(page).fill(title)
    page.locator("#create-post").get_by_role("button").click()


def write_comment(page: Page, title: str, content: str) -> None:
    field = page.get_by_label(f"New Comment on {title}")
    field.fill(content)
    field.press("Enter")


def card(page: Page, title: str) -> Locator:
    return page.locator("article.post").filter(has=page.get_by_role("heading", name=title, exact=True))


VERDICTS = ["An apple", "This comment has been rejected"]


def test_a_post_and_its_verdicts_appear_in_two_tabs_without_a_reload(page: Page, site: str) -> None:
    other = open_tab(page.context.new_page(), site)

    write_post(page, "Two tabs")
    write_comment(page, "Two tabs", "An apple")
    expect(card(page, "Two tabs").locator("li.comment")).to_have_count(1)
    expect(page.get_by_label("New Comment on Two tabs")).to_have_value("")  # or the form ignores the second Enter
    write_comment(page, "Two tabs", "An Orange")

    for tab in (page, other):
        for number, verdict in enumerate(VERDICTS):
            expect(card(tab, "Two tabs").locator("li.comment").nth(number)).to_have_text(verdict)
        expect(card(tab, "Two tabs")).to_have_count(1)
        expect(card(tab, "Two tabs").locator("li.comment")).to_have_count(2)
    assert page.locator("article.post h3").all_inner_texts() == other.locator("article.post h3").all_inner_texts()


def test_the_page_can_be_read_before_any_script_runs(browser: Browser, blog: Blog, site: str) -> None:
    post = blog.write_post("Read me plainly")
    blog.write_comment(post, "a plain comment")
    eventually(lambda: blog.page()["Read me plainly"] == {"a plain comment": "approved"})
    with browser.new_context(java_script_enabled=False) as context:
        tab = context.new_page()
        tab.goto(site)

        expect(card(tab, "Read me plainly").locator("li.comment")).to_have_text("a plain comment")


def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(page: Page) -> None:
    write_post(page, "x" * 201)

    expect(page.locator("#create-post .error")).to_have_text("title has 201 characters; 200 are allowed.")
    expect(title_field(page)).to_have_value("x" * 201)
    expect(title_field(page)).to_be_focused()
    expect(title_field(page)).to_have_attribute("aria-invalid", "true")


def test_text_from_people_is_only_ever_text(page: Page) -> None:
    title = "<img src=x onerror=document.title='owned'>"

    write_post(page, title)
    write_comment(page, title, "<script>document.title='owned'</script>")

    expect(card(page, title).locator("li.comment")).to_have_attribute("data-status", "approved")
    page.reload()
    expect(card(page, title).locator("li.comment")).to_have_text("<script>document.title='owned'</script>")
    assert page.title() == "Minibus"


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(title_field(page)).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(card(page, "By keyboard")).to_be_visible()
    expect(page.locator("#create-post button")).to_be_enabled()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label("New Comment on By keyboard")).to_be_focused()
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    expect(card(page, "By keyboard").locator("li.comment")).to_have_text("typed")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("query", "Query is away"),
        ("event-bus", "The event bus is away"),
        ("moderation", "Moderation is away"),
        ("posts", "Posts is away"),
        ("comments", "Comments is away"),
    ],
)
def test_a_banner_says_what_is_away_and_goes_when_it_is_back(page: Page, blog: Blog, name: str, says: str) -> None:
    title = f"Banner for {name}"
    write_post(page, title)
    expect(card(page, title)).to_be_visible()
    page.get_by_label(f"New Comment on {title}").fill("half a thou")

    blog.stop(name)
    expect(page.locator("#banner")).to_contain_text(says)
    blog.start(name).ready()

    expect(page.locator("#banner")).to_be_empty()
    expect(page.get_by_label(f"New Comment on {title}")).to_have_value("half a thou")
    expect(card(page, title)).to_have_count(1)


def test_a_paused_query_is_shown_with_its_place_and_each_step_too(page: Page, blog: Blog) -> None:
    write_post(page, "Held")
    expect(card(page, "Held")).to_be_visible()
    head = len(blog.events())
    subscriber = "/subscribers/query"

    assert blog.send("event-bus", subscriber, {"paused": True}, "PATCH").ok
    assert blog.send("event-bus", f"{subscriber}/rewind", {"to": 0}).ok

    expect(page.locator("#banner")).to_have_text(f"Query is paused at 0 of {head}.")
    expect(page.locator("article.post")).to_have_count(0)
    assert blog.send("event-bus", f"{subscriber}/step", {"count": 1}).ok
    expect(page.locator("#banner")).to_have_text(f"Query is paused at 1 of {head}.")
    expect(page.locator("article.post")).to_have_count(1)
    assert blog.send("event-bus", subscriber, {"paused": False}, "PATCH").ok
    expect(card(page, "Held")).to_be_visible()
    expect(page.locator("#banner")).to_be_empty()


def test_a_page_catches_up_when_query_is_back(page: Page, blog: Blog) -> None:
    write_post(page, "Before")
    expect(card(page, "Before")).to_be_visible()
    blog.stop("query")
    post = blog.write_post("Meanwhile")
    blog.write_comment(post, "written meanwhile")
    blog.start("query")

    expect(card(page, "Meanwhile").locator("li.comment")).to_have_text("written meanwhile")
    expect(card(page, "Before")).to_have_count(1)


def test_writing_without_posts_keeps_what_was_typed_and_works_later(page: Page, blog: Blog) -> None:
    blog.stop("posts")
    write_post(page, "Kept")
    expect(page.locator("#create-post .error")).to_contain_text("The posts service is away")
    expect(title_field(page)).to_have_value("Kept")
    blog.start("posts").ready()

    title_field(page).press("Enter")

    expect(card(page, "Kept")).to_have_count(1)
    expect(title_field(page)).to_have_value("")
    expect(page.locator("#create-post .error")).to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_follows_the_theme(browser: Browser, blog: Blog, site: str, scheme: str) -> None:
    blog.write_post("A-very-long-word-without-a-single-space-" * 4)
    with browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme) as context:  # type: ignore[arg-type]
        tab = open_tab(context.new_page(), site)

        assert tab.evaluate("document.documentElement.scrollWidth") <= 360
        background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        red = int(re.findall(r"\d+", background)[0])
        assert (red < 128) == (scheme == "dark")
