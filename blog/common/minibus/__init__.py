"""What the services of the mini-blog share. A service is its handlers, folded over the log."""

from minibus.errors import ApiError
from minibus.event import Event
from minibus.facts import Comment, Post
from minibus.service import Service
from minibus.web import new_id, text

__all__ = ["ApiError", "Comment", "Event", "Post", "Service", "new_id", "text"]
