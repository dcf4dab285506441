"""What may happen in a run, as data: a script is a list of commands, drawn from a seed, and can be kept as JSON."""

from __future__ import annotations

from random import Random

import msgspec
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from infra.parts import SERVICES

BUS = "event-bus"
PARTS = (*SERVICES, BUS)
LENGTH = 26  # commands in a script

KILL_IN_COMMIT = "kill the bus in its commit"
# What a line between two parts can do to a request: see tests/chaos/line.py.
# What rarely finds its moment is drawn more often.
DELIVERY_FAULTS = ("lose", "cut", "twice", "late", "stale", *["swap"] * 3, *["kill the hearer"] * 2)
PUBLISH_FAULTS = ("lose", "cut", "twice", "late", *[KILL_IN_COMMIT] * 3)
REACTION_FAULTS = (*PUBLISH_FAULTS, *["kill the speaker"] * 3)


class Command(msgspec.Struct, frozen=True, tag=str.lower):
    """One thing that happens; the next one follows `pause` milliseconds later, whether or not this one has ended."""


class Post(Command, frozen=True):
    """A person writes a post."""

    pause: int = 0


class Comment(Command, frozen=True):
    """A person comments on a post; `post` is an index of the known posts, modulo their number."""

    post: int = 0
    orange: bool = False
    pause: int = 0


class Publish(Command, frozen=True):
    """A client publishes on the bus: a post with so many comments in one batch, or one event; perhaps twice."""

    comments: int = 0
    again: bool = False
    pause: int = 0


class Misfit(Command, frozen=True):
    """A client publishes a post without a title. Handlers reject it, and the bus has to park it."""

    pause: int = 0


class Kill(Command, frozen=True):
    """A part is killed, or stopped by SIGTERM; `away` milliseconds later it is started again."""

    part: str
    away: int = 0
    gently: bool = False
    pause: int = 0


class Freeze(Command, frozen=True):
    """A part is frozen (SIGSTOP), and continues `still` milliseconds later (SIGCONT)."""

    part: str
    still: int = 0
    pause: int = 0


class Fault(Command, frozen=True):
    """The next `times` requests on this line suffer this; `wait`: how late is late, how long the killed is away."""

    line: str
    kind: str
    wait: int = 0
    times: int = 1
    pause: int = 0


class Pause(Command, frozen=True):
    """An instructor pauses a subscriber."""

    subscriber: str
    pause: int = 0


class Step(Command, frozen=True):
    """An instructor pauses a subscriber, and steps it."""

    subscriber: str
    count: int = 1
    pause: int = 0


class Resume(Command, frozen=True):
    """An instructor resumes a subscriber."""

    subscriber: str
    pause: int = 0


class Rewind(Command, frozen=True):
    """An instructor sends a subscriber back, to so many percent of the log."""

    subscriber: str
    percent: int = 0
    pause: int = 0


AnyCommand = Post | Comment | Publish | Misfit | Kill | Freeze | Fault | Pause | Step | Resume | Rewind
Script = list[AnyCommand]

subscriber = st.sampled_from(SERVICES)
part = st.sampled_from((*PARTS, BUS))  # the bus twice as often as each of the others
soon = st.sampled_from((0, 5, 20, 60, 150))
while_ = st.sampled_from((0, 30, 120, 400))


def faults(lines: tuple[str, ...], kinds: tuple[str, ...]) -> st.SearchStrategy[AnyCommand]:
    """Draw a fault of these kinds on one of these lines."""
    times = st.sampled_from((1, 1, 2, 5))
    return st.builds(Fault, st.sampled_from(lines), st.sampled_from(kinds), while_, times, soon)


KINDS: dict[str, st.SearchStrategy[AnyCommand]] = {
    "post": st.builds(Post, soon),
    "comment": st.builds(Comment, st.integers(0, 9), st.booleans(), soon),
    "publish": st.builds(Publish, st.sampled_from((0, 0, 1, 3, 20)), st.booleans(), soon),
    "misfit": st.builds(Misfit, soon),
    "kill": st.builds(Kill, part, while_, st.sampled_from((False, False, False, True)), soon),
    "freeze": st.builds(Freeze, part, while_, soon),
    "delivery": faults(tuple(f"bus to {name}" for name in SERVICES), DELIVERY_FAULTS),
    "write": faults(("posts to bus", "people to bus"), PUBLISH_FAULTS),
    "reaction": faults(("comments to bus", "moderation to bus"), REACTION_FAULTS),
    "pause": st.builds(Pause, subscriber, soon),
    "step": st.builds(Step, subscriber, st.integers(1, 5), soon),
    "resume": st.builds(Resume, subscriber, soon),
    "rewind": st.builds(Rewind, subscriber, st.sampled_from((0, 0, 50, 100)), soon),
}
HOW_OFTEN = {
    **{
        "post": 3,
        "comment": 8,
        "publish": 4,
        "misfit": 1,
        "kill": 3,
        "freeze": 1,
        "delivery": 7,
        "write": 3,
        "reaction": 4,
    },
    **{"pause": 1, "step": 1, "resume": 1, "rewind": 1},
}

command = st.sampled_from([kind for kind, times in HOW_OFTEN.items() for _ in range(times)]).flatmap(KINDS.__getitem__)
scripts = st.lists(command, min_size=LENGTH, max_size=LENGTH)


def draw(seed: int) -> Script:
    """Return the script of a seed: always the same one, with a kill, a fault on a line, and something written."""

    def worth_running(script: Script) -> bool:
        return {Kill, Fault, Comment} <= {type(one) for one in script}

    only_drawing = settings(
        phases=[Phase.generate],
        database=None,
        deadline=None,
        max_examples=1000,
        suppress_health_check=list(HealthCheck),
    )
    return find(scripts, worth_running, settings=only_drawing, random=Random(seed))


def spare_the_bus(script: Script) -> Script:
    """Return a script in which the bus does not end."""
    return [
        one
        for one in script
        if not (isinstance(one, Kill) and one.part == BUS)
        and not (isinstance(one, Fault) and one.kind == KILL_IN_COMMIT)
    ]


def encode(script: Script) -> str:
    """Write a script as JSON, a command a line."""
    return "\n".join(msgspec.json.encode(one).decode() for one in script) + "\n"


def decode(text: str) -> Script:
    """Read a script."""
    return [msgspec.json.decode(line, type=AnyCommand) for line in text.splitlines()]
