"""Rules for the client: the page that shows and writes posts and comments."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

from conformance.browser import ClientBench
from conformance.contract import Broken, Contract
from conformance.stand_in import comment
from harness.server import json_answer

client: Contract[ClientBench] = Contract("client")

PENDING = "This comment is awaiting moderation"
REJECTED = "This comment has been rejected"


def post(post_id: str, title: str, *comments: dict[str, Any]) -> dict[str, Any]:
    """Return a post in the shape of query's answer."""
    return {"id": post_id, "title": title, "comments": list(comments)}


def form_for_posts(page: Page) -> Locator:
    """Find the form for a new post: it has the label "Title"."""
    return page.locator("form").filter(has_text="Title")


def card(page: Page, title: str) -> Locator:
    """Find the card of the post with this title: the innermost element that has both the title and a form."""
    forms = page.locator("form").filter(has_text="New Comment")
    return page.locator("body *").filter(has_text=title).filter(has=forms).last


def form_for_comments(page: Page, title: str) -> Locator:
    """Find the form in the card of the post with this title."""
    return card(page, title).locator("form").filter(has_text="New Comment")


@client.course('The page has "Create Post", with a "Title" box and "Submit"')
def has_a_form(it: ClientBench) -> None:
    """Begin the page with the heading "Create Post" and a form: the label "Title", one input, and a button "Submit"."""
    page = it.visit()
    it.sees(page.get_by_text("Create Post"), '"Create Post"')
    it.sees(form_for_posts(page).locator("input"), 'a form with "Title" and an input')
    it.sees(form_for_posts(page).locator("button, input[type=submit]"), 'a button "Submit" in the form for posts')


@client.course("A new title is sent to posts")
def sends_posts(it: ClientBench) -> None:
    """On Submit, send POST /posts to port 4000 with {"title"} as JSON. Behind an Ingress, send POST /posts/create."""
    title = it.unique("A new post")
    it.submit(form_for_posts(it.visit()), title)
    it.receives({"title": title}, "/posts", "/posts/create")


@client.course('Every post has a card with its title and a "New Comment" box')
def shows_posts(it: ClientBench) -> None:
    """Get the posts from query: GET /posts on port 4002. Query answers an object keyed by id; Object.values makes an
    array of it. Show one card for each post: its title, its comments, and a form with "New Comment", an input and
    "Submit".
    """
    first, second = it.unique("First"), it.unique("Second")
    page = it.visit(post("aa000001", first), post("aa000002", second))
    for title in (first, second):
        it.sees(page.get_by_text(title), f'the title "{title}"')
        it.sees(form_for_comments(page, title).locator("input"), f'a form with "New Comment" in the card of "{title}"')


@client.course("A new comment is sent to comments, for its own post")
def sends_comments(it: ClientBench) -> None:
    """On Submit, send POST /posts/<id>/comments to port 4001 with {"content"} as JSON. <id> is the card's post."""
    title, content = it.unique("Second"), it.unique("A new comment")
    page = it.visit(post("aa000001", it.unique("First")), post("aa000002", title))
    it.sees(page.get_by_text(title), f'the title "{title}"')
    it.submit(form_for_comments(page, title), content)
    it.receives({"content": content}, "/posts/aa000002/comments")


@client.course("A comment is shown according to its status")
def shows_comments(it: ClientBench) -> None:
    """Show the content of a comment only if its status is "approved". For "pending", show "This comment is awaiting
    moderation". For "rejected", show "This comment has been rejected".
    """
    fine, secret = it.unique("A fine comment"), it.unique("A hidden comment")
    page = it.visit(
        post("aa000001", "Judged", comment("bb000001", fine, "approved"), comment("bb000002", secret, "rejected")),
        post("aa000002", "Not yet judged", comment("bb000003", secret, "pending")),
    )
    for text in (fine, REJECTED, PENDING):
        it.sees(page.get_by_text(text), f'"{text}"')
    if page.get_by_text(secret).count():
        raise Broken("no content of a comment that is not approved", f'"{secret}"')


@client.course("Titles and comments are shown as text, never as HTML")
def shows_text(it: ClientBench) -> None:
    """Insert titles and contents as text: React does so with {title}, plain JavaScript with textContent. Inserted as
    HTML, a title could run a script in the browser of every reader.
    """
    title = '<img src="x" alt="not a picture">'
    page = it.visit(post("aa000001", title))
    it.sees(page.get_by_text(title), f"the title {title} as plain text")


@client.solid("New posts and comments appear without a reload")
def follows(it: ClientBench) -> None:
    """Ask query again every second, or follow its stream. While the page is open, other readers write, and moderation
    judges new comments.
    """
    first = post("aa000001", it.unique("First"))
    page = it.visit(first)
    it.sees(page.get_by_text(first["title"]), f'the title "{first["title"]}"')
    second = post("aa000002", it.unique("Written elsewhere"))
    it.blog.posts = {one["id"]: one for one in (first, second)}
    it.sees(page.get_by_text(second["title"]), f'the title "{second["title"]}" within {it.patience:g} s')


@client.solid("An error is shown with its message", chapter=7)
def shows_errors(it: ClientBench) -> None:
    """Check the answer to every POST. If it is an error, show the messages of its JSON, {"errors": [{"message"}]},
    beside the form. Otherwise the writer believes that the post was stored.
    """
    page = it.visit()
    reason = it.unique("No more than 200 characters, please.")
    it.blog.refusal = json_answer(422, {"errors": [{"message": reason, "field": "title"}]})
    it.submit(form_for_posts(page), "Far too long")
    it.sees(page.get_by_text(reason), f'the message "{reason}"')
