"""The whole mini-blog for a test: the same real processes that the labs start."""

from labs.system import APPS, ROOT, SERVICES, Blog, eventually, free_port, is_taken

__all__ = ["APPS", "COURSE_PORTS", "ROOT", "SERVICES", "Blog", "eventually", "free_port", "is_taken"]

# Where the course has its parts, and so `make up`.
COURSE_PORTS = {"posts": 4000, "comments": 4001, "query": 4002, "moderation": 4003, "event-bus": 4005, "client": 3000}
