"""A quota project for one model, and the lanes (key x model) inside it.

Keys of one project share the service's quota, so they are ranked as one and take turns inside. What always holds: a
project's decayed usage is kept in units of the pool's shared scale (``score.Scale``), so that projects compare without
being touched as time passes; ``in_flight`` is never below 0.
"""

from __future__ import annotations

import random

from utils.gemini_pool.policy.breaker import Gate
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.keys import Key
from utils.gemini_pool.policy.quota import Cooling, MinuteWindow
from utils.gemini_pool.policy.records import Counts
from utils.gemini_pool.policy.score import DecayedRate

_NEVER = float("-inf")


class Lane:
    """One key for one model: its record, its gate, its calls in flight."""

    __slots__ = ("counts", "gate", "in_flight", "key", "last_used", "rate")

    def __init__(self, key: Key, counts: Counts, config: PoolConfig, rng: random.Random) -> None:
        self.key = key
        self.rate = DecayedRate(config.error_half_life_s, config.error_prior)
        self.gate = Gate(config, rng)
        self.counts = counts
        self.in_flight = 0
        self.last_used = _NEVER


class ProjectModel:
    """One project for one model."""

    __slots__ = ("cooling", "in_flight", "lanes", "last_used", "name", "usage", "window")

    def __init__(self, name: str, config: PoolConfig) -> None:
        self.name = name
        self.cooling = Cooling(config)
        self.window = MinuteWindow(config)
        self.lanes: list[Lane] = []
        self.usage = 0.0
        self.in_flight = 0
        self.last_used = _NEVER

    def may_send(self, now: float) -> bool:
        """Whether a request keeps within all that is known of the project's quota."""
        return self.cooling.is_open(now) and self.window.has_room(now)

    def live_lanes(self, now: float) -> list[Lane]:
        """Give the lanes any number of requests may take."""
        return [lane for lane in self.lanes if lane.key.dead is None and lane.gate.is_live(now)]
