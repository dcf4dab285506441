"""Check a page in a real browser; the checker's stand-in answers the page's requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Error, Locator, Page, Playwright, Route, sync_playwright

from conformance.answer import cut
from conformance.contract import Broken
from conformance.server import CannotCheck
from conformance.stand_in import BlogStandIn
from conformance.workbench import TRY_AGAIN, Workbench
from harness.browser import QUIET, find_chromium


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
        """Describe what the checker runs around the page."""
        return f"in a browser, with the checker's stand-in for the services at {self.blog.url}"

    def open(self) -> None:
        """Start the stand-in and a browser, then wait for the page's server."""
        self.blog.server.open()
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=find_browser(), args=QUIET)
        super().open()

    def close(self) -> None:
        """Close the browser, the page's server and the stand-in."""
        self.blog.is_open = False
        if self._browser:
            self._browser.close()
        if self._playwright:
            self._playwright.stop()
        super().close()
        self.blog.server.close()

    def visit(self, *posts: dict[str, Any]) -> Page:
        """Open the page in a new tab, with these posts. All requests to `/posts…` are routed to the stand-in."""
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
        """Wait until the page shows this element; return it. Raises `Broken`."""
        try:
            place.first.wait_for()
        except Error:
            raise Broken(expected, self.what_is_there()) from None
        return place.first

    def receives(self, wanted: dict[str, str], *paths: str) -> None:
        """Wait until the page has sent these fields to one of these paths. Raises `Broken`."""
        self.until(lambda: self.blog.was_sent(wanted, *paths))

    def rest(self) -> None:
        """Wait through Playwright: the browser's events are handled only inside its calls."""
        assert self._page
        self._page.wait_for_timeout(1000 * TRY_AGAIN)

    def what_is_there(self) -> str:
        """Return the text of the page."""
        assert self._page
        text = " ".join(self._page.locator("body").inner_text().split())
        return f"a page with the text: {cut(text)}" if text else "an empty page"

    def submit(self, form: Locator, text: str) -> None:
        """Fill the form's input, and press its button. Raises `Broken`."""
        box = self.sees(form.locator("input, textarea"), "a form with an input")
        try:
            box.fill(text)
            form.locator("button, input[type=submit]").filter(has_text="Submit").first.click()
        except Error:
            raise Broken('a form with an input and a button "Submit"', self.what_is_there()) from None


def find_browser() -> str:
    """Return the path of a browser. Raises `CannotCheck`."""
    found = find_chromium()
    if not found:
        raise CannotCheck("The checker needs a browser. Install Chromium, or set CHROMIUM to the path of yours.")
    return found
