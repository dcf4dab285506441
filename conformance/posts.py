"""posts: owns the posts, and tells the bus of each."""

from __future__ import annotations

from conformance import shared
from conformance.answer import Answer
from conformance.contract import Broken, Contract
from conformance.workbench import ServiceBench

posts: Contract[ServiceBench] = Contract("posts")


def write(it: ServiceBench, title: str) -> Answer:
    """Write a post: POST /posts or, where that is none (from the Ingress on), POST /posts/create."""
    answer = it.post("/posts", {"title": title})
    return it.post("/posts/create", {"title": title}) if answer.status in (404, 405) else answer


@posts.course("GET /posts shows the posts as one object, keyed by id")
def shows_posts(it: ServiceBench) -> None:
    """Answer GET /posts with 200 and an object, {"id": {"id", "title"}, …}, {} while there are none; no array."""
    it.get("/posts").has_status(200).object()


@posts.course("A new post is answered with 201")
def says_created(it: ServiceBench) -> None:
    """Read the body as JSON (in Express app.use(express.json()) before your routes, in Flask request.get_json()), and
    answer 201 (Created) to POST /posts, or to POST /posts/create, which the Ingress of chapter 4 needs.
    """
    write(it, it.unique("Hello")).has_status(201)


@posts.course("A new post is answered with its id and its title")
def answers_with_the_post(it: ServiceBench) -> None:
    """Answer with the post as it is now, {"id", "title"}: the title that you were sent, and an id, a text that you draw
    yourself (the course: 4 random bytes in hex).
    """
    title = it.unique("Hello")
    answer = write(it, title)
    post = answer.object("id", "title")
    if post["title"] != title or not isinstance(post["id"], str) or not post["id"]:
        raise answer.broken(f'{{"id": a text, "title": "{title}"}}')


@posts.course("Every post has an id of its own")
def draws_ids(it: ServiceBench) -> None:
    """Draw a new id for every post, also for one whose title is there already."""
    title = it.unique("Twins")
    first, second = (write(it, title) for _ in range(2))
    if first.object("id")["id"] == second.object("id")["id"]:
        raise second.broken("another id than the post before")


@posts.course("A new post is in GET /posts, under its id")
def remembers_posts(it: ServiceBench) -> None:
    """Keep the post under its id, and show it in GET /posts as {"id", "title"}."""
    title = it.unique("Remember me")
    post_id = str(write(it, title).object("id")["id"])

    def is_shown() -> None:
        answer = it.get("/posts")
        if answer.object().get(post_id) != {"id": post_id, "title": title}:
            raise answer.broken(f'"{post_id}": {{"id": "{post_id}", "title": "{title}"}} in it')

    it.until(is_shown)


@posts.course("A new post is told to the bus: PostCreated with its id and title")
def tells_the_bus(it: ServiceBench) -> None:
    """Send POST /events to the bus: {"type": "PostCreated", "data": {"id", "title"}}, the same id that you answer with.
    It is how query, and everybody else, hears of the post.
    """
    title = it.unique("Tell the others")
    answer = write(it, title).is_well()
    data = it.bus.heard("PostCreated", "id", "title", title=title)
    if data["id"] != answer.object("id")["id"]:
        raise Broken(
            f"PostCreated with the id that was answered, {answer.text}", f"the id {data['id']!r}", answer.asked
        )


shared.takes_every_event(posts)
shared.lets_pages_in(posts, "/posts", writes=True)


@posts.solid("Without the bus it lives on, and keeps what it promises", chapter=16, kills=True)
def lives_on_without_the_bus(it: ServiceBench) -> None:
    """Catch the error when the bus does not answer, or your process dies of it (in Express an await that fails without
    try and catch). Then answer 503 and keep nothing (publish first, and keep what the bus has taken); or answer 201,
    and send the event until the bus has it.
    """
    shared.lives_on(it, lambda title: write(it, title), "/posts", "PostCreated", "title")


shared.errors_are_json(posts, "/posts")
