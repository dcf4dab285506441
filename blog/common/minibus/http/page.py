"""What every page has: security headers, so that text of users can never run as a script, and the theme."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, send_from_directory

STATIC = Path(__file__).parent / "static"


def add_theme(app: Flask) -> None:
    """Serve the theme of the blog and the console at `/static/theme.css`, beside the app's own files."""

    @app.get("/static/theme.css")
    def theme() -> Response:
        """Send the style sheet that all pages share."""
        return send_from_directory(STATIC, "theme.css")


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
