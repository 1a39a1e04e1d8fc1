"""A quota project for one model, and the lanes (key x model) inside it.

Keys of one project share the service's quota, so they are ranked as one and take turns inside. What always holds: a
project's decayed usage is kept in units of the pool's shared scale (``score.Scale``), so that projects compare without
being touched as time passes; ``in_flight`` is never below 0; ``ready`` holds just the lanes that any request may take
at once. Who is ready, and where a project stands in the order, is kept by ``pools``.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from utils.gemini_pool.policy.breaker import Gate
from utils.gemini_pool.policy.instances import Instance
from utils.gemini_pool.policy.keys import Key
from utils.gemini_pool.policy.latency import Latency
from utils.gemini_pool.policy.quota.project_quota import ProjectQuota
from utils.gemini_pool.policy.records import Tally
from utils.gemini_pool.policy.score import DecayedRate
from utils.gemini_pool.policy.selection import Entry

_NEVER = float("-inf")


class Owner(Protocol):
    """The pool a lane belongs to, as far as a lane and its leases need it."""

    model: str
    latency: Latency

    def add_usage(self, lane: Lane, requests: int) -> None:
        """Count requests of a key that no call under way stands for."""

    def has_another(self, lane: Lane) -> bool:
        """Whether another lane stands ready."""


class Lane:
    """One key for one model: its record, its gate, its instances, its calls in flight.

    ``overdue``: calls under way for longer than usual. ``troubled``: whether faults stand against it, so that a sound
    lane's answer needs no more than to be counted.
    """

    __slots__ = (
        "counts",
        "gate",
        "in_flight",
        "key",
        "last_used",
        "overdue",
        "pool",
        "project",
        "rate",
        "slots",
        "tally",
        "troubled",
    )

    def __init__(
        self, key: Key, pool: Owner, project: ProjectModel, *, tally: Tally, gate: Gate, rate: DecayedRate
    ) -> None:
        self.key = key
        self.pool = pool
        self.project = project
        self.tally = tally
        self.counts = tally.counts
        self.gate = gate
        self.rate = rate
        self.slots: list[Instance] = []
        self.in_flight = 0
        self.overdue = 0
        self.troubled = False
        self.last_used = _NEVER

    def is_live(self, now: float) -> bool:
        """Whether any number of requests may take it, as far as the key is concerned."""
        return self.key.dead is None and self.gate.is_live(now)


class ProjectModel:
    """One project for one model.

    ``entry``: its place in the order, None while it is not in it. ``error``: the mean error of its ready lanes when it
    was last ranked. ``closed_at``: since when its quota keeps requests away, None while it does not. ``wake_at``: when
    it will be looked at again because of that.
    """

    __slots__ = (
        "closed_at",
        "entry",
        "error",
        "in_flight",
        "lanes",
        "last_used",
        "name",
        "quota",
        "ready",
        "usage",
        "wake_at",
    )

    def __init__(self, name: str, quota: ProjectQuota) -> None:
        self.name = name
        self.quota = quota
        self.lanes: list[Lane] = []
        self.ready: deque[Lane] = deque()
        self.usage = 0.0
        self.error = 0.0
        self.in_flight = 0
        self.last_used = _NEVER
        self.entry: Entry | None = None
        self.closed_at: float | None = None
        self.wake_at: float | None = None

    @property
    def position(self) -> int:
        """The position of its first key."""
        return self.lanes[0].key.position

    def may_send(self, now: float) -> bool:
        """Whether a request keeps within all that is known of the project's quota."""
        return not self.quota.limited or self.quota.may_send(now, self.in_flight)

    def live_lanes(self, now: float) -> list[Lane]:
        """Give the lanes any number of requests may take."""
        return [lane for lane in self.lanes if lane.is_live(now)]

    def mean_error(self, now: float) -> float:
        """The mean error of the lanes that are ready, 0 when none is."""
        errors = [lane.rate.error(now) for lane in self.ready]
        return sum(errors) / len(errors) if errors else 0.0

    def empty(self) -> None:
        """Stand for nothing any more: its lanes belong to another project now."""
        self.lanes.clear()
        self.ready.clear()
        self.usage = 0.0
        self.in_flight = 0
        self.closed_at = None
