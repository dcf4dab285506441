"""client: the page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

from conformance.browser import ClientBench
from conformance.contract import Broken, Contract
from conformance.stand_in import comment

client: Contract[ClientBench] = Contract("client")

PENDING = "This comment is awaiting moderation"
REJECTED = "This comment has been rejected"


def post(post_id: str, title: str, *comments: dict[str, Any]) -> dict[str, Any]:
    """Return a post as query shows it."""
    return {"id": post_id, "title": title, "comments": list(comments)}


def form_for_posts(page: Page) -> Locator:
    """Find the form that has a title."""
    return page.locator("form").filter(has_text="Title")


def card(page: Page, title: str) -> Locator:
    """Find the card of the post with this title: the innermost element that has both the title and a form."""
    forms = page.locator("form").filter(has_text="New Comment")
    return page.locator("body *").filter(has_text=title).filter(has=forms).last


def form_for_comments(page: Page, title: str) -> Locator:
    """Find the form in the card of the post with this title."""
    return card(page, title).locator("form").filter(has_text="New Comment")


@client.course('There is "Create Post", with a "Title" box and "Submit"')
def has_a_form(it: ClientBench) -> None:
    """Begin the page with the heading "Create Post" and a form: the label "Title", one box, and a button "Submit"."""
    page = it.visit()
    it.sees(page.get_by_text("Create Post"), '"Create Post"')
    it.sees(form_for_posts(page).locator("input"), 'a form with "Title" and a box')
    it.sees(form_for_posts(page).locator("button, input[type=submit]"), 'a button "Submit" in it')


@client.course("A new title is sent to posts")
def sends_posts(it: ClientBench) -> None:
    """On Submit, send POST /posts to port 4000 (or POST /posts/create, behind the Ingress) with {"title"} as JSON."""
    title = it.unique("A new post")
    it.submit(form_for_posts(it.visit()), title)
    it.hears({"title": title}, "/posts", "/posts/create")


@client.course('Every post has a card with its title and a "New Comment" box')
def shows_posts(it: ClientBench) -> None:
    """Get the posts from query, GET /posts on port 4002, which answers an object keyed by id (Object.values makes an
    array of it), and show one card a post: its title, its comments, a form with "New Comment", a box and "Submit".
    """
    first, second = it.unique("First"), it.unique("Second")
    page = it.visit(post("aa000001", first), post("aa000002", second))
    for title in (first, second):
        it.sees(page.get_by_text(title), f'the title "{title}"')
        it.sees(form_for_comments(page, title).locator("input"), f'a form with "New Comment" in the card of "{title}"')


@client.course("A new comment is sent to comments, for its own post")
def sends_comments(it: ClientBench) -> None:
    """On Submit, send POST /posts/<id>/comments to port 4001 with {"content"} as JSON; <id> is the card's post."""
    title, content = it.unique("Second"), it.unique("A new comment")
    page = it.visit(post("aa000001", it.unique("First")), post("aa000002", title))
    it.sees(page.get_by_text(title), f'the title "{title}"')
    it.submit(form_for_comments(page, title), content)
    it.hears({"content": content}, "/posts/aa000002/comments")


@client.course("A comment is shown as its status wants it")
def shows_comments(it: ClientBench) -> None:
    """Show the content of a comment only where its status is "approved". While it is "pending", write "This comment is
    awaiting moderation" in its place, and where it is "rejected", "This comment has been rejected".
    """
    fine, secret = it.unique("A fine comment"), it.unique("Nobody reads this")
    page = it.visit(
        post("aa000001", "Judged", comment("bb000001", fine, "approved"), comment("bb000002", secret, "rejected")),
        post("aa000002", "Not yet judged", comment("bb000003", secret, "pending")),
    )
    for text in (fine, REJECTED, PENDING):
        it.sees(page.get_by_text(text), f'"{text}"')
    if page.get_by_text(secret).count():
        raise Broken("nothing of a comment that is not approved", f'"{secret}"')


@client.course("What people write is only ever text")
def shows_text(it: ClientBench) -> None:
    """Put what people write into the page as text (React does, with {title}; otherwise textContent), never as HTML: or
    a title can run a script in the browser of whoever reads it.
    """
    title = '<img src="x" alt="not a picture">'
    page = it.visit(post("aa000001", title))
    it.sees(page.get_by_text(title), f"the title {title} as it was written")


@client.solid("What others write appears without a reload")
def follows(it: ClientBench) -> None:
    """Ask query again, every second or so, or follow a stream of it: the page is open while others write, and a comment
    is judged a moment after it was sent.
    """
    first = post("aa000001", it.unique("First"))
    page = it.visit(first)
    it.sees(page.get_by_text(first["title"]), f'the title "{first["title"]}"')
    second = post("aa000002", it.unique("Written elsewhere"))
    it.blog.posts = {one["id"]: one for one in (first, second)}
    it.sees(page.get_by_text(second["title"]), f'the title "{second["title"]}" within {it.patience:g} s')


@client.solid("A refusal is shown, with its reason", chapter=7)
def shows_errors(it: ClientBench) -> None:
    """Look at the answer when you have sent something: where it is an error, show the messages of its JSON, {"errors":
    [{"message"}]}, beside the form. Whoever wrote has to know that it was not stored.
    """
    page = it.visit()
    reason = it.unique("No more than 200 characters, please.")
    it.blog.refusal = 422, {"errors": [{"message": reason, "field": "title"}]}
    it.submit(form_for_posts(page), "Far too long")
    it.sees(page.get_by_text(reason), f'the message "{reason}"')
