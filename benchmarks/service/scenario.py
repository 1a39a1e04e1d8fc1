"""What a scenario is, and what a run of it leaves to be measured.

``Scenario`` names the service, its faults, the users and the figures with their goals; ``Run`` is what one client made
of it: the users' fates and the emulator's diary, both on the scenario's clock (second 0 is when the faults were
set). Facts only; how a run comes about is ``running``'s, what its figures mean ``figures``'.
"""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.service.protocol import KeyEntry, User

#: Within so many seconds the users of a group come.
_GROUP_S = 3.0
_HOLDS: Mapping[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge, "=": operator.eq}


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure has to be for our pool: ``<=``, ``>=`` or ``=`` a bound."""

    sign: str
    bound: float

    def met(self, value: float) -> bool:
        """Whether a figure reaches it; a figure that could not be taken (NaN) does not."""
        return _HOLDS[self.sign](value, self.bound)


@dataclass(frozen=True, slots=True)
class Call:
    """One request the emulator received: when, by which key, how it ended."""

    at: float
    key: str
    project: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Run:
    """What one client made of one scenario, at which speed of time.

    ``healthy``: the same client's run over healthy keys, where a figure is measured by it.
    """

    scenario: Scenario
    users: Sequence[User]
    calls: Sequence[Call]
    speed: float
    healthy: Run | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a run, with its unit, the digits shown, and the goal our pool is held to (None: shown only)."""

    title: str
    of: Callable[[Run], float]
    goal: Goal | None = None
    unit: str = ""
    digits: int = 0

    def text(self, value: float) -> str:
        """The value as shown."""
        return "-" if value != value else f"{value:,.{self.digits}f}{self.unit}"  # noqa: PLR0124  # NaN is unlike itself

    @property
    def goal_text(self) -> str:
        """The goal as shown."""
        if self.goal is None:
            return ""
        sign = {"<=": "at most ", ">=": "at least ", "=": ""}[self.goal.sign]
        return f"{sign}{self.text(self.goal.bound)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row: a service, its faults, its users, and what is measured.

    ``keys`` are dealt to ``projects`` in turn, ``rpm`` is every project's limit (None: none); ``told`` lets the client
    know both. ``users`` come at random times within ``seconds``, or in groups of ``group`` within 3 s, and wait
    ``patience_s``. ``faults`` as the control interface takes them. One run for every seed; figures are means over
    them. The first figure is the one drawn.
    """

    name: str
    title: str
    text: str
    keys: int
    projects: int
    users: int
    seconds: float
    figures: Sequence[Figure]
    group: int = 1
    rpm: int | None = None
    told: bool = False
    patience_s: float = 30.0
    latency_s: float = 1.0
    faults: Sequence[Mapping[str, Any]] = ()
    seeds: Sequence[int] = (1,)
    #: The scenario whose run by the same client is this one's healthy measure.
    healthy: str | None = None

    def key_entries(self, seed: int) -> tuple[KeyEntry, ...]:
        """The keys of a run; their secrets are drawn, none is real."""
        dice = random.Random(seed)
        return tuple(
            KeyEntry(f"key-{number}", f"project-{number % self.projects}", f"AQ.{dice.getrandbits(256):064x}")
            for number in range(self.keys)
        )

    def arrivals(self, seed: int) -> list[float]:
        """When the users of a run come, in order."""
        dice = random.Random(f"arrivals {seed}")
        groups = math.ceil(self.users / self.group)
        begins = [dice.uniform(0.0, self.seconds - _GROUP_S) for _ in range(groups)]
        return sorted(begins[number % groups] + dice.uniform(0.0, _GROUP_S) for number in range(self.users))

    @property
    def users_per_s(self) -> float:
        """The offered load."""
        return self.users / self.seconds
