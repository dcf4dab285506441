"""comments: owns the comments, and applies the verdicts on them."""

from flask.typing import ResponseReturnValue
from minibus import ApiError, Comment, Event, Post, Service, new_id, text

service = Service("comments", port=4001)
app = service.app

Threads = dict[str, dict[str, dict[str, str]]]  # post id → comment id → comment


@service.on("PostCreated")
def open_thread(threads: Threads, post: Post) -> None:
    """Open an empty thread for a post's comments."""
    threads.setdefault(post["id"], {})


@service.on("CommentCreated")
def add_comment(threads: Threads, comment: Comment) -> None:
    """Add a comment to a post that exists; a second one with the same id changes nothing."""
    thread = threads.get(comment["postId"], {})
    thread.setdefault(comment["id"], {name: comment[name] for name in ("id", "content", "status")})


@service.on("CommentModerated")
def decide(threads: Threads, verdict: Comment) -> Event | None:
    """Apply a verdict; if it changes the comment, return one generic event."""
    comment = threads.get(verdict["postId"], {}).get(verdict["id"])
    if not comment or comment["status"] == verdict["status"]:
        return None
    comment["status"] = verdict["status"]
    return Event("CommentUpdated", {**comment, "postId": verdict["postId"]})


@app.get("/posts/<post_id>/comments")
def list_comments(post_id: str) -> ResponseReturnValue:
    """Show the comments on a post, oldest first."""
    return list(service.state.get(post_id, {}).values())


@app.post("/posts/<post_id>/comments")
def create_comment(post_id: str) -> ResponseReturnValue:
    """Publish a comment, and answer with all comments on the post, the new one pending."""
    content = text("content", longest=2000)
    if post_id not in service.state and not service.log_has("PostCreated", post_id):
        raise ApiError(404, f"There is no post {post_id}.")
    thread = service.state.get(post_id, {})
    comment = {"id": new_id(taken=thread), "content": content, "status": "pending"}
    service.publish(Event("CommentCreated", {**comment, "postId": post_id}))
    thread = service.state.get(post_id, {})
    return list({**thread, comment["id"]: comment}.values()), 201


if __name__ == "__main__":
    service.run()
