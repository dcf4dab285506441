"""Check the rules of a contract on a workbench, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.answer import NoAnswer
from conformance.contract import Broken, Contract, Rule
from conformance.server import CannotCheck
from conformance.workbench import ServiceBench, Workbench

HOLDS, BREAKS, UNKNOWN = "✓", "✗", "○"
NEEDS_CMD = "not checked: needs CMD"
IS_GONE = "not checked: it has ended"


@dataclass(frozen=True)
class Verdict:
    """The result of a rule: it holds, it is broken and how, or the reason why it was not checked."""

    rule: Rule[Any]
    mark: str
    broken: Broken | None = None
    reason: str = ""
    last_lines: tuple[str, ...] = ()


def try_all(contract: Contract[Any], it: Workbench, level: str | None = None) -> Iterator[Verdict]:
    """Check every rule, or the rules of one level; yield a verdict for each. Raises `CannotCheck`."""
    gone = False
    for rule in contract.rules:
        if level and rule.level != level:
            continue
        if gone:
            yield Verdict(rule, UNKNOWN, reason=IS_GONE)
        elif rule.kills and not it.process:
            yield Verdict(rule, UNKNOWN, reason=NEEDS_CMD)
        else:
            verdict = try_one(rule, it)
            yield verdict
            gone = not revived(it)


def try_one(rule: Rule[Any], it: Workbench) -> Verdict:
    """Check one rule; return its verdict."""
    if isinstance(it, ServiceBench):
        it.bus.ignore_earlier()
    try:
        rule.trial(it)
    except Broken as broken:
        died = it.process and isinstance(broken, NoAnswer) and it.process.ends(within=1.0)
        lines = it.process.last_lines() if it.process and died else []
        return Verdict(rule, BREAKS, broken, last_lines=tuple(lines))
    return Verdict(rule, HOLDS)


def revived(it: Workbench) -> bool:
    """Return whether the service answers, and restart it if it does not and CMD is known."""
    if it.answers():
        return True
    if not it.process:
        return False
    it.process.kill()
    it.process.start()
    try:
        it.wait()
    except CannotCheck:
        return False
    return True
