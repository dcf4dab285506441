"""Rules for posts: it owns the posts, and publishes each new one."""

from __future__ import annotations

from conformance import shared
from conformance.answer import Answer
from conformance.contract import Broken, Contract
from conformance.workbench import ServiceBench

posts: Contract[ServiceBench] = Contract("posts")


def write(it: ServiceBench, title: str) -> Answer:
    """Write a post with POST /posts, or with POST /posts/create if the service has only that (from chapter 4 on)."""
    answer = it.post("/posts", {"title": title})
    return it.post("/posts/create", {"title": title}) if answer.status in (404, 405) else answer


@posts.course("GET /posts shows the posts as one object, keyed by id")
def shows_posts(it: ServiceBench) -> None:
    """Answer GET /posts with 200 and an object keyed by id: {"<id>": {"id", "title"}, …}. Without posts, answer {}. Do
    not answer with an array.
    """
    it.get("/posts").has_status(200).object()


@posts.course("A new post is answered with 201")
def says_created(it: ServiceBench) -> None:
    """Read the body as JSON: in Express put app.use(express.json()) before your routes, in Flask call
    request.get_json(). Answer POST /posts with 201 (Created); the Ingress of chapter 4 needs POST /posts/create.
    """
    write(it, it.unique("Hello")).has_status(201)


@posts.course("A new post is answered with its id and its title")
def answers_with_the_post(it: ServiceBench) -> None:
    """Answer with the new post, {"id", "title"}: the title from the request, and an id that you generate. The id is a
    string; the course uses 4 random bytes in hex.
    """
    title = it.unique("Hello")
    answer = write(it, title)
    post = answer.object("id", "title")
    if post["title"] != title or not isinstance(post["id"], str) or not post["id"]:
        raise answer.broken(f'{{"id": a text, "title": "{title}"}}')


@posts.course("Every post has an id of its own")
def draws_ids(it: ServiceBench) -> None:
    """Generate a new id for every post, even for a post with an existing title."""
    title = it.unique("Twins")
    first, second = (write(it, title) for _ in range(2))
    if first.object("id")["id"] == second.object("id")["id"]:
        raise second.broken("another id than the post before")


@posts.course("A new post is in GET /posts, under its id")
def remembers_posts(it: ServiceBench) -> None:
    """Store the post under its id, and show it in GET /posts as {"id", "title"}."""
    title = it.unique("Remember me")
    post_id = str(write(it, title).object("id")["id"])

    def is_shown() -> None:
        answer = it.get("/posts")
        if answer.object().get(post_id) != {"id": post_id, "title": title}:
            raise answer.broken(f'"{post_id}": {{"id": "{post_id}", "title": "{title}"}} in it')

    it.until(is_shown)


@posts.course("A new post is published: PostCreated with its id and title")
def tells_the_bus(it: ServiceBench) -> None:
    """Send POST /events to the bus: {"type": "PostCreated", "data": {"id", "title"}}, with the id of your answer. The
    other services get the post from this event alone.
    """
    title = it.unique("Tell the others")
    answer = write(it, title).is_well()
    data = it.bus.received("PostCreated", "id", "title", title=title)
    if data["id"] != answer.object("id")["id"]:
        raise Broken(f"PostCreated with the id of the answer, {answer.text}", f"the id {data['id']!r}", answer.asked)


shared.takes_every_event(posts)
shared.lets_pages_in(posts, "/posts", writes=True)


@posts.solid("While the bus is down it answers, and keeps what it confirms", chapter=16, kills=True)
def lives_on_without_the_bus(it: ServiceBench) -> None:
    """Catch the error of a bus that does not answer; in Express 4 an await that fails outside try ends the process.
    Then answer 503 and store nothing: publish first, store afterwards. Or answer 201, and retry until the bus has the
    event.
    """
    shared.lives_on(it, lambda title: write(it, title), "/posts", "PostCreated", "title")


shared.errors_are_json(posts, "/posts")
