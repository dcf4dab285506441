"""`BUS_TOKEN`: what the bus and the services show each other, so that nobody else speaks for them (RFC 6750)."""

from __future__ import annotations

import hmac
import os

from flask import request

from minibus.http.errors import ApiError

TOKEN = os.environ.get("BUS_TOKEN", "")
HEADERS = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}


COOKIE = "minibus_token"  # where the console keeps it


def is_token(shown: str) -> bool:
    """Say whether this is the token, or none is needed."""
    return not TOKEN or hmac.compare_digest(shown.encode(), TOKEN.encode())


def require_token() -> None:
    """Let a request pass that shows the token, or any where none is set. Raises `ApiError` 401."""
    _, _, bearer = request.headers.get("Authorization", "").partition("Bearer ")
    shown = bearer or request.cookies.get(COOKIE, "")
    if not is_token(shown):
        challenge = {"WWW-Authenticate": "Bearer"}
        raise ApiError(401, "This needs the bus's token: Authorization: Bearer BUS_TOKEN.", headers=challenge)
