"""Who of one model's keys can serve now, in which order, and who comes back when.

``Standing`` moves lanes and projects as things happen: outcomes and operators by ``place`` and ``close``, time by a
heap of moments at which something is due (``look_after``, at least once a second while calls are made). ``choose``
finds the lane for a request that is not the ordinary case. What always holds: a project is in the order just when a
mapped lane of it is ready and its quota was not found spent; a ready lane without an instance is a spare, one with a
call that takes too long is passed over, and both serve when nobody else can. Nothing here is looked through for an
ordinary request.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import deque
from collections.abc import Container, Iterable
from heapq import heappop, heappush
from typing import TypeVar

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.health import Health
from utils.gemini_pool.policy.projects import Lane, ProjectModel
from utils.gemini_pool.policy.score import Scale, rank
from utils.gemini_pool.policy.selection import Probe, Ranking, Wishes

Item = TypeVar("Item")

#: How often a pool looks after itself while it is used.
TICK_S = 1.0
#: So many projects are looked at for a key without a fresh fault before one with a fault will do.
_LOOKS = 16
#: Whoever cannot serve although its time has come is looked at again after this long.
_SOONEST_S = 0.01


class Standing:
    """The lanes and projects of one model by what they can do now.

    ``total``: the usage of all projects in the units of ``scale``; ``busy_above``: the share of it above which a
    project is passed over while another can serve; ``passed_over``: how many lanes are, because a call takes too long.
    ``due``: when ``look_after`` must be called next (the clock's seconds; minus infinity while something out of the
    ordinary waits to be tried).
    """

    def __init__(self, config: PoolConfig, rng: random.Random, health: Health, now: float) -> None:
        self._config = config
        self._rng = rng
        self._health = health
        self.scale = Scale(config.usage_half_life_s, now)
        self.ranking: Ranking[ProjectModel] = Ranking(by_turn=config.lift_newcomers)
        self.projects: list[ProjectModel] = []
        self.lanes: list[Lane] = []
        self.total = 0.0
        self.busy_above = math.inf
        #: How many projects are closed because their quota is spent.
        self.closed = 0
        self.due = now
        self._tick_at = now
        self._rerank_at = now
        self._spares: dict[Lane, None] = {}
        self._passed_over: dict[Lane, None] = {}
        self.passed_over = 0
        self._marked: dict[ProjectModel, None] = {}
        self._probes: deque[Lane | ProjectModel] = deque()
        self._timers: list[tuple[float, int, Lane | ProjectModel]] = []
        self._order = itertools.count()

    def take_over(self, projects: Iterable[ProjectModel], now: float) -> None:
        """Begin with these projects, or look at all of them anew after a restart was undone or projects were joined."""
        self.projects = list(projects)
        self.lanes = sorted((lane for project in self.projects for lane in project.lanes), key=_position)
        count, config = len(self.projects), self._config
        self.busy_above = math.inf if count < 2 else max(config.busy_share, config.busy_times_fair / count)
        for project in self.projects:
            for lane in project.lanes:
                self.place(lane, now)
            if not project.may_send(now):
                self.close(project, now)
                self.reopen(project, now)
        self.closed = sum(project.closed_at is not None for project in self.projects)

    def leave(self, project: ProjectModel) -> None:
        """Take a project out of which no key is left: it has no place any more, since its last lane is not ready."""
        self._marked.pop(project, None)
        self.total = max(0.0, self.total - project.usage)
        project.closed_at = None

    @property
    def has_probes(self) -> bool:
        """Whether a lane or a project waits for its probe."""
        return bool(self._probes)

    def place(self, lane: Lane, now: float) -> None:
        """Put a lane where it belongs after its key, gate, instances or overdue calls changed."""
        project, live = lane.project, lane.is_live(now)
        slots = lane.slots
        lane.slot = slots[0] if len(slots) == 1 else None
        lane.gate_version = lane.gate.version
        if live and slots and not lane.overdue:
            project.admit(lane)
        else:
            project.dismiss(lane)
        _keep(self._spares, lane, wanted=live and not slots)
        _keep(self._passed_over, lane, wanted=live and bool(slots) and lane.overdue > 0)
        self.passed_over = len(self._passed_over)
        if not live:
            self._wake(lane, lane.gate.open_until)
        self.rank(project, now)

    def rank(self, project: ProjectModel, now: float) -> None:
        """Give a project the place its usage and errors make, or none when it cannot serve."""
        if project.turn is None or project.closed_at is not None:
            self.ranking.drop(project)
            return
        project.error = project.mean_error(now)
        _keep(self._marked, project, wanted=project.error > self._config.rerank_error)
        self.ranking.put(project, rank(project.usage, self.scale.unit(now), project.error))

    def close(self, project: ProjectModel, now: float) -> None:
        """Take a project out whose quota is spent, and look at it again when that may have changed."""
        if project.closed_at is None:
            self.closed += 1
            project.closed_at = now
            self.ranking.drop(project)
        at = max(now + _SOONEST_S, project.quota.next_open_at(now, project.in_flight))
        if project.wake_at is None or at < project.wake_at:
            project.wake_at = at
            self._wake(project, at)

    def reopen(self, project: ProjectModel, now: float) -> None:
        """Let a closed project serve again if its quota allows it; else see to it that it is looked at again."""
        if project.closed_at is None:
            return
        if project.may_send(now):
            closed_s = now - project.closed_at
            project.closed_at = None
            self.closed -= 1
            if closed_s >= self._config.usage_half_life_s:
                self.lift(project, now)
            self.rank(project, now)
            return
        if project.quota.wants_probe(now):
            self.await_probe(project)
        else:
            self.close(project, now)

    def await_probe(self, whom: Lane | ProjectModel) -> None:
        """Have a request find out about a lane or a project as soon as one comes that can afford it."""
        if whom not in self._probes:
            self._probes.append(whom)
        self.due = -math.inf

    def choose(self, wishes: Wishes, now: float) -> tuple[Lane, Probe] | None:
        """Find the lane for a request, whatever is out of the ordinary; None: it has to wait.

        The lane's project is off the top of the order then: it is put there again by the start of the call, or by who
        only wanted to know.
        """
        if now >= self.due:
            self.look_after(now)
        breaker = self._health.breaker
        if breaker.is_open:
            if not (wishes.may_probe and breaker.wants_probe(now)):
                return None
            lane = self._best(wishes, now)
            return None if lane is None else (lane, Probe.MODEL)
        if self._probes and wishes.may_probe and (not wishes.tried or not self.ranking.open):
            found = self._probe(now)
            if found is not None:
                return found
        lane = self._best(wishes, now)
        return None if lane is None else (lane, Probe.NONE)

    def _best(self, wishes: Wishes, now: float) -> Lane | None:
        """The best by score that this request has not tried and that is not busy; else what comes nearest to that."""
        aside: list[ProjectModel] = []
        busy: Lane | None = None
        while (project := self.ranking.pop()) is not None:
            if not project.may_send(now):
                self.close(project, now)
                continue
            lane = self._turn(project, wishes.tried, now)
            # who moves on after a fault had better not meet the next one
            doubtful = bool(wishes.tried) and lane is not None and lane.gate.faults_in_row > 0 and len(aside) < _LOOKS
            if lane is not None and not doubtful and not self.is_busy(project, now):
                self.ranking.put_back(aside)
                return lane
            aside.append(project)
            busy = busy or lane
        self.ranking.put_back(aside)
        if busy is not None:
            return busy
        if aside:
            return self._turn(aside[0], (), now)
        return self._second_choice(wishes.tried, now)

    def _second_choice(self, tried: Container[int], now: float) -> Lane | None:
        """A spare, or else a lane that was passed over because a call of its takes long."""
        for lanes in (self._spares, self._passed_over):
            able = [lane for lane in lanes if lane.project.may_send(now)]
            fresh = [lane for lane in able if lane.key.position not in tried] or able
            if fresh:
                return min(fresh, key=lambda lane: (lane.project.usage, lane.in_flight, lane.key.position))
        return None

    def _turn(self, project: ProjectModel, tried: Container[int], now: float) -> Lane | None:
        """Keys of one project take turns; one with error e is left out of e of its turns."""
        least: Lane | None = None
        for lane in project.ready:
            project.turn = lane.after
            if lane.key.position in tried:
                continue
            error = lane.rate.error(now)
            if error == 0.0 or self._rng.random() >= error:
                return lane
            if least is None or error < least.rate.error(now):
                least = lane
        return least

    def _probe(self, now: float) -> tuple[Lane, Probe] | None:
        """A lane whose gate is due for its probe, or a project whose long closure is; the longest due first."""
        for _ in range(len(self._probes)):
            due = self._probes.popleft()
            if isinstance(due, Lane):
                if due.key.dead is not None or not due.gate.wants_probe(now):
                    continue
                if due.project.may_send(now):
                    return due, Probe.GATE
                self._wake(due, max(now + _SOONEST_S, due.project.quota.next_open_at(now, due.project.in_flight)))
            elif due.quota.wants_probe(now) and (lanes := due.live_lanes(now)):
                return lanes[0], Probe.QUOTA
            else:
                self.reopen(due, now)
        return None

    def look_after(self, now: float) -> None:
        """Do what time alone brings: gates and projects come due, errors fade, scales grow."""
        if now >= self._tick_at:
            self._tick_at = now + TICK_S
            self._restart_scales(now)
            self.ranking.sweep()
        while self._timers and self._timers[0][0] <= now:
            _, _, due = heappop(self._timers)
            self._come_due(due, now)
        if now >= self._rerank_at:
            self._rerank_at = now + self._config.rerank_s
            for project in list(self._marked):
                self.rank(project, now)
        nothing_odd = not self._probes and not self._health.breaker.is_open
        self.due = min(self._tick_at, self._timers[0][0] if self._timers else math.inf) if nothing_odd else -math.inf

    def _come_due(self, due: Lane | ProjectModel, now: float) -> None:
        if isinstance(due, Lane):
            if due.gate.wants_probe(now):
                self.await_probe(due)
            return
        due.wake_at = None
        self.reopen(due, now)

    def _wake(self, whom: Lane | ProjectModel, at: float) -> None:
        if math.isfinite(at):
            heappush(self._timers, (at, next(self._order), whom))
            self.due = min(self.due, at)

    def _restart_scales(self, now: float) -> None:
        self._health.restart_scale(self.lanes, now)
        factor = self.scale.restart(now)
        if factor is None:
            return
        self.total *= factor
        for project in self.projects:
            project.usage *= factor
        unit = self.scale.unit(now)
        self.ranking.rebuild((project, rank(project.usage, unit, project.error)) for project in self.projects)

    def lift(self, project: ProjectModel, now: float) -> None:
        """Let a new or healed project start at the mean usage of the live ones."""
        if not self._config.lift_newcomers:
            return
        others = [other.usage for other in self.projects if other is not project and other.live_lanes(now)]
        if others:
            self.use(project, max(0.0, sum(others) / len(others) - project.usage))

    def use(self, project: ProjectModel, amount: float) -> None:
        """Add to a project's usage (or take from it, never below 0), outside of a call's start."""
        if not project.lanes:
            return
        amount = max(amount, -project.usage)
        project.usage += amount
        self.total = max(0.0, self.total + amount)

    def is_busy(self, project: ProjectModel, now: float) -> bool:
        """Whether a project has drawn far more than its share of the recent usage."""
        if project.usage <= self.busy_above * self.total:
            return False
        return self.total >= self._config.busy_min_calls * self.scale.unit(now)

    def has_another(self, lane: Lane) -> bool:
        """Whether another lane stands ready."""
        ranked = lane.project.entry is not None
        if self.ranking.open > ranked or (ranked and lane.after is not lane):
            return True
        # one that is passed over while others serve can still take over
        aside = len(self._spares) + len(self._passed_over) - (lane in self._spares) - (lane in self._passed_over)
        return aside > 0


def _keep(kept: dict[Item, None], item: Item, *, wanted: bool) -> None:
    """Have an item in an ordered set just when it is wanted."""
    if wanted:
        kept.setdefault(item)
    else:
        kept.pop(item, None)


def _position(lane: Lane) -> int:
    return lane.key.position
