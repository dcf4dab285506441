"""query: the read side, posts with their comments."""

from typing import Any

from flask.typing import ResponseReturnValue
from minibus import Comment, Post, Service

service = Service("query", port=4002)
app = service.app

Posts = dict[str, dict[str, Any]]  # post id → post, its comments by their ids


@service.on("PostCreated")
def add_post(posts: Posts, post: Post) -> None:
    """Add a post; a second one with the same id changes nothing."""
    posts.setdefault(post["id"], {**post, "comments": {}})


@service.on("CommentCreated")
def add_comment(posts: Posts, comment: Comment) -> None:
    """Add a comment to its post."""
    if post := posts.get(comment["postId"]):
        shown = {name: comment[name] for name in ("id", "content", "status")}
        post["comments"].setdefault(comment["id"], shown)


@service.on("CommentUpdated")
def update_comment(posts: Posts, comment: Comment) -> None:
    """Update a comment. There is no handler for CommentModerated: comments alone applies verdicts."""
    comments = posts[comment["postId"]]["comments"] if comment["postId"] in posts else {}
    if shown := comments.get(comment["id"]):
        shown.update(content=comment["content"], status=comment["status"])


def as_in_the_course(post: dict[str, Any]) -> dict[str, Any]:
    """Turn a post's comments, kept by id, into the array that pages expect."""
    return {**post, "comments": list(post["comments"].values())}


@app.get("/posts")
def list_posts() -> ResponseReturnValue:
    """Show all the posts with their comments, keyed by id, oldest first."""
    return {post_id: as_in_the_course(post) for post_id, post in service.state.items()}


@app.get("/posts/stream")
def follow_posts() -> ResponseReturnValue:
    """Push all the posts, then each one that changes (Server-Sent Events)."""
    return service.stream("post", key=lambda data: data.get("postId", data["id"]), show=as_in_the_course)


if __name__ == "__main__":
    service.run()
