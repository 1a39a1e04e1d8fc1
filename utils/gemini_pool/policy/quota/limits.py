"""Which limits hold for one (project, model), and where each is known from.

``ModelLimits`` is shared by all projects of a model: what is declared, and what the service named to any of them.
``OwnLimit`` is what one project found out about one measure. What always holds: what the service said to the project
itself outranks what was declared; it is believed for ``believe_limit_s``, since limits are raised; a share, which a
refusal below the limit has set, grows by one request every ``share_grow_s`` until it is the limit again. A limit named
to another project is only presumed: it bounds nothing, it makes one call at a time go first (``project_quota``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from weakref import WeakSet

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.quota.texts import Measure

_FOREVER = float("inf")


class Follower(Protocol):
    """A project that wants to know when a limit was named to another."""

    def review(self) -> None:
        """Look at the limits again before the next call."""


class ModelLimits:
    """What all projects of a model know in common; ``declared`` overrides the configuration for this model."""

    def __init__(self, config: PoolConfig, declared: Mapping[Measure, int] | None = None) -> None:
        everywhere = {
            Measure.REQUESTS_PER_MINUTE: config.requests_per_minute,
            Measure.TOKENS_PER_MINUTE: config.tokens_per_minute,
            Measure.REQUESTS_PER_DAY: config.requests_per_day,
        }
        self._declared = {measure: value for measure, value in {**everywhere, **(declared or {})}.items() if value > 0}
        self._named: dict[Measure, tuple[int, float]] = {}
        self._followers: WeakSet[Follower] = WeakSet()

    def follow(self, project: Follower) -> None:
        """Tell a project, for as long as it exists, whenever a limit is named to any."""
        self._followers.add(project)

    def declared(self, measure: Measure) -> int | None:
        """Give the limit that the operator declared."""
        return self._declared.get(measure)

    def presumed(self, measure: Measure, now: float) -> int | None:
        """Give the smallest limit that the service named to a project of this model and that is still believed."""
        value, until = self._named.get(measure, (0, now))
        return value if now < until else None

    def presumed_until(self, measure: Measure) -> float:
        """Until when it is presumed (the clock's seconds)."""
        return self._named[measure][1]

    def name(self, measure: Measure, value: int, now: float, until: float) -> None:
        """Take in a limit that the service named to some project."""
        known = self.presumed(measure, now)
        self._named[measure] = (value if known is None else min(value, known), until)
        for follower in self._followers:
            follower.review()


class OwnLimit:
    """What one project found out about one measure."""

    __slots__ = ("learned", "learned_until", "refuted", "share", "share_at")

    def __init__(self) -> None:
        self.learned = 0
        self.learned_until = 0.0
        #: The part of the limit that was left to this project's keys at ``share_at``; 0: all of it.
        self.share = 0
        self.share_at = 0.0
        #: A presumption of this much or less was proved wrong for this project.
        self.refuted = 0

    def learn(self, value: int, until: float) -> None:
        """Take over the limit that the service named."""
        self.learned, self.learned_until = value, until

    def forget(self) -> None:
        """Stop believing the limit, and presume it no more."""
        self.refuted = max(self.refuted, self.learned)
        self.learned = self.share = 0

    def bound(self, now: float, declared: int | None, grow_s: float) -> tuple[int | None, float]:
        """Give the limit to keep to, and when to ask again (the clock's seconds)."""
        if now >= self.learned_until:
            self.learned = 0
        limit = self.learned or declared
        again = self.learned_until if self.learned else _FOREVER
        if not self.share:
            return limit, again
        steps = int((now - self.share_at) / grow_s) if grow_s > 0 else self.learned
        if limit is None or self.share + steps >= limit:
            self.share = 0
            return limit, again
        return self.share + steps, min(again, self.share_at + (steps + 1) * grow_s)
