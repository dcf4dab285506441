"""The security headers of a page: text that users write can never run as a script."""

from __future__ import annotations

from flask import Response


def protect_page(response: Response, *origins: str) -> Response:
    """Allow a page to load and call its own origin and these origins, and no other."""
    response.headers["Content-Security-Policy"] = "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            " ".join(["connect-src 'self'", *origins]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
