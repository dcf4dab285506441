"""The ids of posts and comments."""

from __future__ import annotations

import secrets
from collections.abc import Container


def new_id(taken: Container[str] = ()) -> str:
    """Draw an id as the course does: 4 random bytes in hex, and again while the id is taken.

    An id has at least one letter: JavaScript moves keys of digits to the front of an object, which reorders posts.
    """
    while (drawn := secrets.token_hex(4)) in taken or drawn.isdigit():
        pass
    return drawn
