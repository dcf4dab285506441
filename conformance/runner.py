"""Try a contract's rules on a workbench, one after the other."""

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
IS_GONE = "not checked: it is gone"


@dataclass(frozen=True)
class Verdict:
    """What became of a rule: it holds, it is broken and how, or why it was not checked."""

    rule: Rule[Any]
    mark: str
    broken: Broken | None = None
    reason: str = ""
    last_words: tuple[str, ...] = ()


def try_all(contract: Contract[Any], it: Workbench, level: str | None = None) -> Iterator[Verdict]:
    """Try every rule, or those of one level; yield what becomes of each. Raises `CannotCheck`."""
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
    """Try a rule."""
    if isinstance(it, ServiceBench):
        it.bus.listen()
    try:
        rule.trial(it)
    except Broken as broken:
        died = it.process and isinstance(broken, NoAnswer) and it.process.ends(within=1.0)
        words = it.process.last_words() if it.process and died else []
        return Verdict(rule, BREAKS, broken, last_words=tuple(words))
    return Verdict(rule, HOLDS)


def revived(it: Workbench) -> bool:
    """Whether the service is there for the next rule; it is started again if it can be."""
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
