"""Any part can be ours or the course's: one replaced in a blog of the other side, and a whole side on the other's bus.

`REWRITE=1 pytest -n 0 tests/system/test_compatibility.py` writes the table of the page anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from conformance.client import card, form_for_comments, form_for_posts
from harness.waiting import eventually
from infra.parts import ROOT
from tests.support.gateway import one_origin
from tests.support.made_by_run import assert_made, table
from tests.support.mixed import OURS, STORY, MixedBlog, install_express

PAGE = ROOT / "docs" / "conformance.md"
SEEN = {"approved": "{}", "rejected": "This comment has been rejected"}

# The parts that are the course's; all others are ours. First one's own side alone.
PARTS = (*OURS, "client")
ALL = frozenset(PARTS)
ONES = [frozenset({name}) for name in PARTS]
MIXES = [frozenset[str](), *ONES, ALL, *(ALL - one for one in ONES)]


class Stories:
    """A blog on each bus, in which parts are replaced and the blog's story is told; each mix once."""

    def __init__(self, folder: Path, browser: Browser) -> None:
        self.folder = folder
        self.browser = browser
        self.blogs: dict[bool, MixedBlog] = {}
        self.told: dict[frozenset[str], bool] = {}

    def tell(self, mix: frozenset[str]) -> bool:
        """Whether the story passes in this mix: a post, a comment approved and one rejected, and all of it is shown."""
        if mix not in self.told:
            blog = self.blog("event-bus" in mix)
            if "event-bus" in mix:
                # The course's comments fails on a verdict about a comment it has lost in a restart, and our moderation
                # judges the whole log when it starts. An empty log avoids both.
                blog.stop("event-bus")
                blog.start("event-bus")
            blog.replace(*mix)
            tell = self.tell_on_the_page if by_the_page(mix) else self.tell_by_requests
            self.told[mix] = tell(blog, mix)
        return self.told[mix]

    def blog(self, on_express: bool) -> MixedBlog:
        """Return the blog on this bus; at first all its services are of the bus's own side."""
        if on_express not in self.blogs:
            folder = self.folder / ("express" if on_express else "ours")
            folder.mkdir()
            blog = self.blogs[on_express] = MixedBlog(folder, *(OURS if on_express else ()))
            blog.settings |= {f"{name.upper()}_URL": blog.url(name) for name in ("posts", "comments")}
            blog.start(*OURS)
        return self.blogs[on_express]

    def tell_by_requests(self, blog: MixedBlog, mix: frozenset[str]) -> bool:
        """Tell the story as a page does."""
        title = f"With {', '.join(sorted(mix)) or 'nothing'} of Express"
        blog.write_the_story(title)
        eventually(lambda: blog.shows(title))
        return True

    def tell_on_the_page(self, blog: MixedBlog, mix: frozenset[str]) -> bool:
        """Tell the story on the page of one side, with the services of the other behind it."""
        if "client" in mix:
            blog.start_express("client")
            return self.type_and_look(blog.url("client"))
        blog.express.discard("client")
        blog.start("client")
        gateway = one_origin(blog)
        try:
            return self.type_and_look(gateway.url)
        finally:
            gateway.close()

    def type_and_look(self, url: str) -> bool:
        """Type the story into a page, and look until all of it is there; a page of the course's has to be reloaded."""
        page = self.browser.new_page()
        page.goto(url)
        write(page, form_for_posts(page), "Typed")
        reload_until(page, card(page, "Typed"))
        for comment in STORY:
            write(page, form_for_comments(page, "Typed"), comment)
        for comment, status in STORY.items():
            reload_until(page, card(page, "Typed").get_by_text(SEEN[status].format(comment), exact=True))
        page.close()
        return True

    def close(self) -> None:
        """End everything."""
        for blog in self.blogs.values():
            blog.close()


def by_the_page(mix: frozenset[str]) -> bool:
    """Whether the page is what is replaced in this mix."""
    return mix in ({"client"}, ALL - {"client"})


def write(page: Page, form: Locator, text: str) -> None:
    """Write into the form's box, and wait until it is sent."""
    form.locator("input").fill(text)
    with page.expect_response(lambda response: response.request.method == "POST" and "/posts" in response.url):
        form.get_by_text("Submit").click()


def reload_until(page: Page, place: Locator) -> None:
    """Open the page again until it shows this, once."""

    def is_shown() -> bool:
        page.reload()
        page.locator("form").first.wait_for()
        return place.count() == 1

    eventually(is_shown)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Stories]:
    install_express()
    stories = Stories(tmp_path_factory.mktemp("mixes"), browser)
    yield stories
    stories.close()


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: ", ".join(sorted(mix)) or "none")
def test_the_story_passes_with_these_parts_of_express(stories: Stories, mix: frozenset[str]) -> None:
    assert stories.tell(mix)


@pytest.mark.timeout(300)
def test_the_page_shows_every_mix(stories: Stories) -> None:
    rows = [
        [*("Express" if name in mix else "ours" for name in PARTS), "✓" if stories.tell(mix) else "✗"] for mix in MIXES
    ]

    assert_made(PAGE, "mixes", table([*PARTS, "the story"], rows))
