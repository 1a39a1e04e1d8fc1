"""Choose the lane of a request among those that may serve: the highest score wins.

Pure: it reads the state of a model's projects and changes nothing but what is due by time alone. ``choose`` answers the
lane with the kind of probe it is, or None when nothing can serve now. The order: a lane that is due for a probe (for
requests that can afford one), then the best project by score = (1 / usage) x (1 - error), and inside it the key whose
turn it is. Softer wishes (not a busy project, not a key this request has tried, a mapped key rather than a spare) are
given up one after another before a request is turned away.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.projects import Lane, ProjectModel
from utils.gemini_pool.policy.score import score


class Probe(StrEnum):
    """What a request finds out besides its answer."""

    NONE = "none"
    GATE = "gate"
    QUOTA = "quota"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Choice:
    """The lane to take, its project, what it probes, and whether another lane stands ready."""

    lane: Lane
    project: ProjectModel
    probe: Probe
    another_live: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A lane that may serve now."""

    lane: Lane
    project: ProjectModel


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one request would like: keys it has tried, and whether it can afford to try a doubtful one."""

    tried: frozenset[int] = frozenset()
    may_probe: bool = True


def live_candidates(projects: Sequence[ProjectModel], now: float) -> list[Candidate]:
    """Give every lane that any number of requests may take."""
    return [
        Candidate(lane, project) for project in projects if project.may_send(now) for lane in project.live_lanes(now)
    ]


def probe_candidate(projects: Sequence[ProjectModel], now: float) -> Choice | None:
    """Give the lane that has waited longest for its probe, or a project whose long closure is due for one."""
    due = [
        Choice(lane, project, Probe.GATE, another_live=True)
        for project in projects
        if project.may_send(now)
        for lane in project.lanes
        if lane.key.dead is None and lane.gate.wants_probe(now)
    ]
    if due:
        return min(due, key=lambda choice: choice.lane.gate.open_until)
    for project in projects:
        lanes = project.live_lanes(now)
        if lanes and project.cooling.wants_probe(now):
            return Choice(lanes[0], project, Probe.QUOTA, another_live=True)
    return None


class Selector:
    """Ranks candidates; holds the configuration and the dice."""

    __slots__ = ("_config", "_rng")

    def __init__(self, config: PoolConfig, rng: random.Random) -> None:
        self._config = config
        self._rng = rng

    def best(
        self,
        candidates: Sequence[Candidate],
        *,
        now: float,
        unit: float,
        wishes: Wishes,
        is_mapped: Callable[[int], bool],
        busy: frozenset[str],
    ) -> Candidate | None:
        """Give the best candidate by score after the softer wishes, or None when there is none."""
        if not candidates:
            return None
        kept = _narrow(candidates, lambda one: is_mapped(one.lane.key.position))
        kept = _narrow(kept, lambda one: one.lane.key.position not in wishes.tried)
        kept = _narrow(kept, lambda one: one.project.name not in busy)
        groups: dict[str, list[Candidate]] = {}
        for one in kept:
            groups.setdefault(one.project.name, []).append(one)
        group = min(groups.values(), key=lambda members: self._rank(members, now, unit))
        return self._turn(group, now)

    def _rank(self, group: Sequence[Candidate], now: float, unit: float) -> tuple[float, ...]:
        project = group[0].project
        error = sum(one.lane.rate.error(now) for one in group) / len(group)
        value = score(1.0 + project.usage / unit, error)
        first = group[0].lane.key.position
        if not self._config.lift_newcomers:
            return (-value, first)
        return (-value, project.in_flight, project.last_used, first)

    def _turn(self, group: Sequence[Candidate], now: float) -> Candidate:
        """Keys of one project take turns; one with error e is left out of e of its turns."""
        waiting = sorted(group, key=lambda one: (one.lane.last_used, one.lane.key.position))
        for one in waiting:
            error = one.lane.rate.error(now)
            if error == 0.0 or self._rng.random() >= error:
                return one
        return min(waiting, key=lambda one: one.lane.rate.error(now))


def _narrow(candidates: Sequence[Candidate], wish: Callable[[Candidate], bool]) -> Sequence[Candidate]:
    """Keep those that meet the wish, or all when none does."""
    return [one for one in candidates if wish(one)] or candidates
