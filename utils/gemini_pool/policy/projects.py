"""A quota project for one model, and the lanes (key x model) inside it.

Keys of one project share the service's quota, so they are ranked as one and take turns inside. What always holds: a
project's decayed usage is kept in units of the pool's shared scale (``score.Scale``), so that projects compare without
being touched as time passes; ``in_flight`` is never below 0; ``ready`` gives just the lanes that any request may take
at once, in the order of their turns. Who is ready, and where a project stands in the order, is kept by ``standing``.
A call reads and writes these objects, and with thousands of keys the memory they lie in costs more than the steps: what
every call needs of a lane or project is in the object itself, not behind another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from utils.gemini_pool.policy.breaker import Gate
from utils.gemini_pool.policy.instances import Instance
from utils.gemini_pool.policy.keys import Key
from utils.gemini_pool.policy.latency import Latency
from utils.gemini_pool.policy.quota.project_quota import ProjectQuota
from utils.gemini_pool.policy.records import Tally
from utils.gemini_pool.policy.score import DecayedRate
from utils.gemini_pool.policy.selection import Entry


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

    ``after``: whose turn is next among the ready lanes of the project; itself when it is the only one, None when it is
    not ready. ``overdue``: calls under way for longer than usual. ``troubled``: whether faults stand against it, so
    that a sound lane's answer needs no more than to be counted. ``slot`` and ``gate_version``: its only instance (None
    when it has none or several) and the version of its gate, as they were when the lane was last put in its place.
    """

    __slots__ = (
        "after",
        "counts",
        "gate",
        "gate_version",
        "in_flight",
        "key",
        "overdue",
        "pool",
        "project",
        "rate",
        "slot",
        "slots",
        "troubled",
    )

    def __init__(
        self, key: Key, pool: Owner, project: ProjectModel, *, counts: Tally, gate: Gate, rate: DecayedRate
    ) -> None:
        self.key = key
        self.pool = pool
        self.project = project
        self.counts = counts
        self.gate = gate
        self.gate_version = gate.version
        self.rate = rate
        self.slots: list[Instance] = []
        self.slot: Instance | None = None
        self.after: Lane | None = None
        self.in_flight = 0
        self.overdue = 0
        self.troubled = False

    def is_live(self, now: float) -> bool:
        """Whether any number of requests may take it, as far as the key is concerned."""
        return self.key.dead is None and self.gate.is_live(now)


class ProjectModel:
    """One project for one model.

    ``turn``: the ready lane that serves next, None when none is. ``entry``: its place in the order, None while it is
    not in it. ``error``: the mean error of its ready lanes when it was last ranked. ``closed_at``: since when its quota
    keeps requests away, None while it does not. ``wake_at``: when it will be looked at again because of that.
    """

    __slots__ = (
        "closed_at",
        "entry",
        "error",
        "in_flight",
        "lanes",
        "name",
        "quota",
        "turn",
        "usage",
        "wake_at",
    )

    def __init__(self, name: str, quota: ProjectQuota) -> None:
        self.name = name
        self.quota = quota
        self.lanes: list[Lane] = []
        self.turn: Lane | None = None
        self.usage = 0.0
        self.error = 0.0
        self.in_flight = 0
        self.entry: Entry | None = None
        self.closed_at: float | None = None
        self.wake_at: float | None = None

    @property
    def position(self) -> int:
        """The position of its first key."""
        return self.lanes[0].key.position

    def order_lanes(self) -> None:
        """Have the lanes stand by the positions of their keys."""
        self.lanes.sort(key=lambda lane: lane.key.position)

    @property
    def ready(self) -> Iterator[Lane]:
        """The lanes that any request may take at once, beginning with the one that serves next."""
        lane = first = self.turn
        while lane is not None:
            yield lane
            lane = lane.after if lane.after is not first else None

    def admit(self, lane: Lane) -> None:
        """Make a lane of this project ready: its turn comes after everybody's. One that is ready stays where it is."""
        first = self.turn
        if lane.after is not None:
            return
        if first is None:
            self.turn = lane.after = lane
        else:
            self._before(first).after, lane.after = lane, first

    def dismiss(self, lane: Lane) -> None:
        """Make a lane not ready."""
        if lane.after is None:
            return
        before, after = self._before(lane), lane.after
        before.after, lane.after = after, None
        if self.turn is lane:
            self.turn = after if after is not lane else None

    def may_send(self, now: float) -> bool:
        """Whether a request keeps within all that is known of the project's quota."""
        return self.quota.may_send(now, self.in_flight)

    def live_lanes(self, now: float) -> list[Lane]:
        """Give the lanes any number of requests may take."""
        return [lane for lane in self.lanes if lane.is_live(now)]

    def mean_error(self, now: float) -> float:
        """The mean error of the lanes that are ready, of which there must be one."""
        errors = [lane.rate.error(now) for lane in self.ready]
        return sum(errors) / len(errors)

    def _before(self, lane: Lane) -> Lane:
        """Whose turn comes just before that of a ready lane."""
        return next(one for one in self.ready if one.after is lane)

    def empty(self) -> None:
        """Stand for nothing any more: its lanes belong to another project now."""
        for lane in self.lanes:
            lane.after = None
        self.turn = None
        self.lanes.clear()
        self.closed_at = None
