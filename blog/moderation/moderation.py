"""moderation: judges a comment; keeps nothing."""

from minibus import Comment, Event, Service

service = Service("moderation", port=4003)
app = service.app


@service.on("CommentCreated")
def judge(_: object, comment: Comment) -> Event:
    """Reject what contains the word of the course, however it is written."""
    verdict = "rejected" if "orange" in comment["content"].lower() else "approved"
    return Event("CommentModerated", {**comment, "status": verdict})


if __name__ == "__main__":
    service.run()
