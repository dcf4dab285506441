"""What a contract is made of: rules by role, each with a title, a level and the chapter that explains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

# Of the course. Only those that a rule points to.
CHAPTERS = {
    2: "A mini-microservices app",
    7: "Response normalization",
    14: "NATS streaming",
    16: "Managing a NATS client",
    17: "Cross-service data replication",
    19: "Listening for events and handling concurrency",
}
LEVELS = {
    "course": "what pages and other services rely on",
    "solid": "it does not die, does not duplicate, catches up",
}

Bench = TypeVar("Bench")


class Broken(Exception):
    """A rule that does not hold: what was expected, what came, and, if there is any, what was asked and a note."""

    def __init__(self, expected: str, came: str, asked: str = "", note: str = "") -> None:
        super().__init__(f"expected {expected}; came {came}")
        self.expected = expected
        self.came = came
        self.asked = asked
        self.note = note


@dataclass(frozen=True)
class Rule(Generic[Bench]):
    """One rule. `trial` tries it on a workbench and raises `Broken`; its docstring is the advice for who broke it.

    `kills`: the trial ends the service, or may; so it needs the command that starts it again.
    """

    title: str
    level: str
    chapter: int
    kills: bool
    trial: Callable[[Bench], None]

    @property
    def advice(self) -> str:
        """What to do about it, on one line."""
        return " ".join((self.trial.__doc__ or "").split())


class Contract(Generic[Bench]):
    """The rules of one role, in the order in which they are written down and tried."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.rules: list[Rule[Bench]] = []

    def course(self, title: str, chapter: int = 2, kills: bool = False) -> Callable[[Callable[[Bench], None]], None]:
        """Make the function below a rule of the course."""
        return self._rule(title, "course", chapter, kills)

    def solid(self, title: str, chapter: int = 2, kills: bool = False) -> Callable[[Callable[[Bench], None]], None]:
        """Make the function below a rule for a service that can be relied on."""
        return self._rule(title, "solid", chapter, kills)

    def _rule(self, title: str, level: str, chapter: int, kills: bool) -> Callable[[Callable[[Bench], None]], None]:
        def write_down(trial: Callable[[Bench], None]) -> None:
            self.rules.append(Rule(title, level, chapter, kills, trial))

        return write_down
