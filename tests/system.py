"""The whole mini-blog for a test: the same real processes that the labs start."""

from labs.system import APPS, ROOT, SERVICES, Blog, eventually, free_port

__all__ = ["APPS", "ROOT", "SERVICES", "Blog", "eventually", "free_port"]
