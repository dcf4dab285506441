"""Look at what a step of a chapter has built, over HTTP alone: `make checkpoint STEP=2.3`.

A checkpoint asks the ports of the course, so it does not matter in which language a learner has written what is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import requests

POSTS, COMMENTS, QUERY, MODERATION, BUS, PAGE = (
    f"http://127.0.0.1:{port}" for port in (4000, 4001, 4002, 4003, 4005, 3000)
)
MONOLITH = "http://127.0.0.1:8000"

# What is looked at: a sentence that is true or not, and what to do where it is not.
Look = tuple[str, bool, str]
CHECKPOINTS: dict[str, Callable[[], Iterator[Look]]] = {}


def checkpoint(step: str) -> Callable[[Callable[[], Iterator[Look]]], Callable[[], Iterator[Look]]]:
    """Make the function below the checkpoint of this step."""

    def register(look: Callable[[], Iterator[Look]]) -> Callable[[], Iterator[Look]]:
        CHECKPOINTS[step] = look
        return look

    return register


def get(url: str) -> Any:
    """Return the JSON at this address, or its text; None where nobody answers well."""
    try:
        answer = requests.get(url, timeout=5)
    except requests.RequestException:
        return None
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return (answer.json() if is_json else answer.text) if answer.ok else None


def is_there(url: str) -> bool:
    """Say whether anything answers at this address, and be it an error."""
    try:
        requests.get(url, timeout=5)
    except requests.RequestException:
        return False
    return True


@checkpoint("1.1")
def the_monolith() -> Iterator[Look]:
    rows = get(f"{MONOLITH}/posts") or []
    yield "the monolith answers", bool(rows), "start it: python docs/code/monolith.py"
    judged = {row["status"] for row in rows}
    yield (
        "one answer has posts, comments and verdicts",
        "rejected" in judged,
        "write a comment that has an orange in it",
    )


def main(step: str = "") -> int:
    """Print a line for each thing looked at; return 0 when all is well."""
    if step not in CHECKPOINTS:
        print(f"Name one of the steps: make checkpoint STEP={next(iter(CHECKPOINTS))}, {', '.join(CHECKPOINTS)}")
        return 2
    looks = list(CHECKPOINTS[step]())
    for sentence, is_so, otherwise in looks:
        print(f"✓ {sentence}" if is_so else f"✗ {sentence}: no. {otherwise[0].upper()}{otherwise[1:]}")
    if not all(is_so for _, is_so, _ in looks):
        return 1
    print(f"Step {step} stands.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
