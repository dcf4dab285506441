"""posts: owns the posts."""

from flask.typing import ResponseReturnValue
from minibus import Event, Post, Service, new_id, text

service = Service("posts", port=4000)
app = service.app


@service.on("PostCreated")
def add_post(posts: dict[str, Post], post: Post) -> None:
    """Add a post; a second one with the same id changes nothing."""
    posts.setdefault(post["id"], post)


@app.get("/posts")
def list_posts() -> ResponseReturnValue:
    """Show all the posts, keyed by id."""
    return service.state


@app.post("/posts")
@app.post("/posts/create")
def create_post() -> ResponseReturnValue:
    """Publish a post, and answer as soon as this service shows it."""
    post = {"id": new_id(taken=service.state), "title": text("title", longest=200)}
    service.publish(Event("PostCreated", post))
    return post, 201


if __name__ == "__main__":
    service.run()
