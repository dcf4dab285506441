"""Make HTTP sessions for calls between our own processes. They ignore the machine's proxies and its netrc."""

from __future__ import annotations

import os
from typing import Any

import requests


def new_session() -> requests.Session:
    """Return a session that reads no HTTP_PROXY, ALL_PROXY or NETRC: a school's proxy cannot reach our processes.

    REQUESTS_CA_BUNDLE stays: a bus behind HTTPS may have a certificate of the school's own.
    """
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    return session


def request(method: str, url: str, **options: Any) -> requests.Response:
    """Make one request over a session of its own, with the options of `requests.request`."""
    with new_session() as session:
        return session.request(method, url, **options)
