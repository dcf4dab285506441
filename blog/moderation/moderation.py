"""moderation: judges each comment, and keeps no state."""

from minibus import Comment, Event, Service

service = Service("moderation", port=4003)
app = service.app


@service.on("CommentCreated")
def judge(_: object, comment: Comment) -> Event:
    """Reject a comment that contains the course's word, in capitals or not."""
    verdict = "rejected" if "orange" in comment["content"].lower() else "approved"
    return Event("CommentModerated", {**comment, "status": verdict})


if __name__ == "__main__":
    service.run()
