"""Define what a contract is: the rules of a role, each with a title, a level and the chapter that explains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

# The chapters of the course that rules refer to.
CHAPTERS = {
    2: "A mini-microservices app",
    7: "Response normalization",
    14: "NATS streaming",
    16: "Managing a NATS client",
    17: "Cross-service data replication",
    19: "Listening for events and handling concurrency",
}
LEVELS = {
    "course": "what the page and the other services rely on",
    "solid": "it does not crash, does not duplicate, and catches up",
}

Bench = TypeVar("Bench")


class Broken(Exception):
    """A rule that does not hold: what was expected and what was found; perhaps the request, and a note."""

    def __init__(self, expected: str, found: str, asked: str = "", note: str = "") -> None:
        super().__init__(f"expected {expected}; found {found}")
        self.expected = expected
        self.found = found
        self.asked = asked
        self.note = note


@dataclass(frozen=True)
class Rule(Generic[Bench]):
    """One rule. `trial` checks it on a workbench and raises `Broken`. Its docstring is the advice that the report
    shows.

    `kills`: the trial may end the service, so it needs the command that starts the service again.
    """

    title: str
    level: str
    chapter: int
    kills: bool
    trial: Callable[[Bench], None]

    @property
    def advice(self) -> str:
        """Return the advice for a service that breaks this rule, on one line."""
        return " ".join((self.trial.__doc__ or "").split())


class Contract(Generic[Bench]):
    """The rules of one role, in the order in which they are defined and checked."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.rules: list[Rule[Bench]] = []

    def course(self, title: str, chapter: int = 2, kills: bool = False) -> Callable[[Callable[[Bench], None]], None]:
        """Make the decorated function a rule of the level `course`."""
        return self._rule(title, "course", chapter, kills)

    def solid(self, title: str, chapter: int = 2, kills: bool = False) -> Callable[[Callable[[Bench], None]], None]:
        """Make the decorated function a rule of the level `solid`."""
        return self._rule(title, "solid", chapter, kills)

    def _rule(self, title: str, level: str, chapter: int, kills: bool) -> Callable[[Callable[[Bench], None]], None]:
        def add_rule(trial: Callable[[Bench], None]) -> None:
            self.rules.append(Rule(title, level, chapter, kills, trial))

        return add_rule
