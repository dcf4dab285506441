"""`BUS_TOKEN`, which the bus and its clients show each other (RFC 6750)."""

from __future__ import annotations

import os

TOKEN = os.environ.get("BUS_TOKEN", "")
HEADERS = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
