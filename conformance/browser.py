"""A page in a real browser, with the checker's stand-in behind it."""

from __future__ import annotations

import os
import shutil
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Error, Locator, Page, Playwright, Route, sync_playwright

from conformance.answer import cut
from conformance.contract import Broken
from conformance.server import CannotCheck
from conformance.stand_in import BlogStandIn
from conformance.workbench import TRY_AGAIN, Workbench

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class ClientBench(Workbench):
    """A page under test."""

    def __init__(self, blog: BlogStandIn, *given: Any) -> None:
        super().__init__(*given)
        self.blog = blog
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._page: Page | None = None

    @property
    def surroundings(self) -> str:
        """Say what stands around the page."""
        return f"in a browser, with the checker's stand-in for the services at {self.blog.url}"

    def open(self) -> None:
        """Open the stand-in and a browser first."""
        self.blog.server.open()
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=find_browser(), args=["--disable-gpu", "--disable-background-networking"]
        )
        super().open()

    def close(self) -> None:
        """Close the browser, and end the rest."""
        self.blog.is_open = False
        if self._browser:
            self._browser.close()
        if self._playwright:
            self._playwright.stop()
        super().close()
        self.blog.server.close()

    def visit(self, *posts: dict[str, Any]) -> Page:
        """Open the page anew while there are these posts; whatever it asks the services comes to the stand-in."""
        assert self._browser
        self.blog.show(*posts)
        if self._page:
            self._page.close()
        page = self._page = self._browser.new_page()
        page.set_default_timeout(1000 * self.patience)
        page.route(lambda url: urlsplit(url).path.startswith("/posts"), self._lead_to_the_stand_in)
        try:
            page.goto(self.url)
        except Error as error:
            raise Broken("a page", error.message, "GET /, in a browser") from None
        return page

    def _lead_to_the_stand_in(self, route: Route) -> None:
        route.continue_(url=self.blog.url + urlsplit(route.request.url).path)

    def sees(self, place: Locator, expected: str) -> Locator:
        """Wait until this can be seen on the page."""
        try:
            place.first.wait_for()
        except Error:
            raise Broken(expected, self.what_is_there()) from None
        return place.first

    def hears(self, wanted: dict[str, str], *paths: str) -> None:
        """Wait until the page has sent this to one of these paths."""
        self.until(lambda: self.blog.was_sent(wanted, *paths))

    def rest(self) -> None:
        """Wait a moment, in which the browser goes on: it does nothing unless it is asked."""
        assert self._page
        self._page.wait_for_timeout(1000 * TRY_AGAIN)

    def what_is_there(self) -> str:
        """Return what the page says."""
        assert self._page
        text = " ".join(self._page.locator("body").inner_text().split())
        return f"a page that says: {cut(text)}" if text else "an empty page"

    def submit(self, form: Locator, text: str) -> None:
        """Write into the form's one box, and press its button."""
        box = self.sees(form.locator("input, textarea"), "a box to write into")
        try:
            box.fill(text)
            form.locator("button, input[type=submit]").filter(has_text="Submit").first.click()
        except Error:
            raise Broken('a box to write into, and a button "Submit"', self.what_is_there()) from None


def find_browser() -> str:
    """Return the path of a browser. Raises `CannotCheck`."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise CannotCheck("A page is looked at in a browser: install Chromium, or set CHROMIUM to the path of yours.")
    return found
