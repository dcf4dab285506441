"""What the services of the mini-blog share: a service is a fold of its handlers over the log."""

from minibus.core.event import Event
from minibus.facts import Comment, Post
from minibus.http.errors import ApiError
from minibus.http.fields import text
from minibus.ids import new_id
from minibus.service import Service

__all__ = ["ApiError", "Comment", "Event", "Post", "Service", "new_id", "text"]
