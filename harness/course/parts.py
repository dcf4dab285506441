"""Put parts of the course's kind into a blog: its Express services if Node is installed, else their Python versions."""

from __future__ import annotations

import os
import shutil
import sys

from harness.blog import Blog
from infra.parts import ROOT, SERVICES

PEERS = ROOT / "bench" / "peers"
NO_EXPRESS = "Express is not installed: Python versions run instead. To install it: cd bench/peers && npm ci"
IN_PYTHON = {"event-bus": "bus"}  # the module of a part, where it is not named as the part


def is_installed() -> bool:
    """Tell whether npm has installed what the Express services need."""
    return (PEERS / "node_modules" / ".package-lock.json").exists()  # npm writes it last


def has_express() -> bool:
    """Tell whether the course's Express services can run here. `LABS_IN_PYTHON=1` switches them off."""
    return is_installed() and bool(shutil.which("node")) and not os.environ.get("LABS_IN_PYTHON")


def use_course_parts(blog: Blog, parts: tuple[str, ...]) -> list[str]:
    """Put the course's kind of these parts into a blog; return the lines that announce them."""
    if "event-bus" in parts:
        blog.settings["SUBSCRIBERS"] = ",".join(blog.url(name) for name in SERVICES)
    else:
        listed = SERVICES if blog.settings.get("EVENT_STORE") == "none" else parts
        blog.settings["SUBSCRIBERS"] = ",".join(f"{name}={blog.url(name)}" for name in listed)
    return [use_course_part(blog, part) for part in parts] + ([] if not parts or has_express() else [NO_EXPRESS])


def use_course_part(blog: Blog, part: str) -> str:
    """Put the course's kind of this part into a blog; return the line that announces it."""
    if has_express():
        blog.add(part, "node", f"bench/peers/{part}.js")
        return f"{part} as in the course: bench/peers/{part}.js (Express)"
    module = IN_PYTHON.get(part, part)
    blog.add(part, sys.executable, "-m", f"harness.course.{module}")
    return f"{part} as in the course: harness/course/{module}.py (Python)"
