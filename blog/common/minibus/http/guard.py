"""The check of `BUS_TOKEN` on a request, in its `Authorization` header (RFC 6750) or in the console's cookie."""

from __future__ import annotations

import hmac

from flask import Flask, request

from minibus.bus.token import TOKEN
from minibus.http.errors import ApiError

COOKIE = "minibus_token"  # where the console keeps the token


def is_token(shown: str) -> bool:
    """Return whether this is the token, true for any text if no token is set."""
    return not TOKEN or hmac.compare_digest(shown.encode(), TOKEN.encode())


def require_token() -> None:
    """Reject a request that does not show the token, if one is set. Raises `ApiError` 401."""
    _, _, bearer = request.headers.get("Authorization", "").partition("Bearer ")
    shown = bearer or request.cookies.get(COOKIE, "")
    if not is_token(shown):
        challenge = {"WWW-Authenticate": "Bearer"}
        raise ApiError(401, "This needs the bus's token: Authorization: Bearer BUS_TOKEN.", headers=challenge)


def require_token_for(app: Flask, *paths: str) -> None:
    """Require the token for every request to these paths of an app."""

    @app.before_request
    def check() -> None:
        if request.path in paths:
            require_token()
