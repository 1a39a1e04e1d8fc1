"""The pool of one model: its instances, lanes, projects and breaker, and what outcomes do to them.

``ModelPool`` begins and ends calls. What always holds: in-flight counts are never below 0 and return to 0; a lane is
ejected only if it is clearly worse than the others together, and never more than half of the keys that are not dead; a
call that began before a change of its gate counts, but opens nothing. Ranking is ``selection``'s, the life of a request
``request``'s, rotation ``rotation``'s.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from utils.gemini_pool.policy.breaker import ModelBreaker
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.instances import InstanceMap
from utils.gemini_pool.policy.keys import Death, Key
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import FAULTS, Kind, Outcome
from utils.gemini_pool.policy.projects import Lane, ProjectModel
from utils.gemini_pool.policy.records import Counts
from utils.gemini_pool.policy.score import Scale
from utils.gemini_pool.policy.selection import (
    Candidate,
    Choice,
    Probe,
    Selector,
    Wishes,
    live_candidates,
    probe_candidate,
)


class ModelPool:
    """Everything the rules know about one model."""

    def __init__(
        self,
        model: str,
        keys: Sequence[Key],
        *,
        counts_of: Callable[[Key], Counts],
        size: int,
        config: PoolConfig,
        rng: random.Random,
        now: float,
    ) -> None:
        self.model = model
        self._config = config
        self._scale = Scale(config.usage_half_life_s, now)
        self._selector = Selector(config, rng)
        self.breaker = ModelBreaker(config)
        self.lanes = [Lane(key, counts_of(key), config, rng) for key in keys]
        self.instances = InstanceMap(size, len(keys))
        for lane in self.lanes:
            # what was counted before a restart or a reset belongs to the first instance of its key
            self.add_usage(lane, lane.counts.requests)
        by_name: dict[str, ProjectModel] = {}
        for lane in self.lanes:
            name = lane.key.project
            by_name.setdefault(name, ProjectModel(name, config)).lanes.append(lane)
        self.projects = list(by_name.values())
        self._project_of = {lane.key.position: by_name[lane.key.project] for lane in self.lanes}
        #: Lanes whose 503 belongs to the present run, with the gate's version before it.
        self._overload_run: list[tuple[Lane, int]] = []

    def choose(self, wishes: Wishes, now: float) -> Choice | None:
        """Give the lane a request should take now, or None when it has to wait."""
        live = live_candidates(self.projects, now)
        if self.breaker.is_open:
            if not (wishes.may_probe and self.breaker.wants_probe(now)):
                return None
            best = self._best(live, wishes, now)
            return Choice(best.lane, best.project, Probe.MODEL, another_live=False) if best else None
        if wishes.may_probe and (not wishes.tried or not live):
            probe = probe_candidate(self.projects, now)
            if probe is not None:
                return Choice(probe.lane, probe.project, probe.probe, another_live=bool(live))
        best = self._best(live, wishes, now)
        if best is None:
            return None
        return Choice(best.lane, best.project, Probe.NONE, another_live=len(live) > 1)

    def _best(self, live: Sequence[Candidate], wishes: Wishes, now: float) -> Candidate | None:
        return self._selector.best(
            live,
            now=now,
            unit=self._scale.unit(now),
            wishes=wishes,
            is_mapped=self.instances.is_mapped,
            busy=self.busy_projects(now),
        )

    def begin(self, choice: Choice, now: float) -> Lease:
        """Count the start of a call; an unmapped key is drafted into the instances first."""
        lane, project = choice.lane, choice.project
        position = lane.key.position
        if not self.instances.is_mapped(position):
            self.instances.give_one_to(position, keep=0)
        slot = self.instances.take(position)
        self._keep_scale_small(now)
        unit = self._scale.unit(now)
        lease = Lease(
            model=self.model,
            lane=lane,
            project=project,
            slot=slot,
            slot_index=self.instances.slots.index(slot),
            probe=choice.probe,
            started_at=now,
            gate_version=lane.gate.version,
            unit=unit,
            another_live=choice.another_live,
        )
        project.usage += unit
        project.window.start(now)
        project.in_flight += 1
        lane.in_flight += 1
        slot.in_flight += 1
        slot.usage += 1
        project.last_used = lane.last_used = now
        self._mark_probe(lease, under_way=True)
        return lease

    def end(self, lease: Lease, outcome: Outcome, now: float, wall: float) -> None:
        """Take the outcome of a call in; a second time for the same lease does nothing."""
        if lease.released:
            return
        lease.released = True
        self._mark_probe(lease, under_way=False)
        lease.project.in_flight -= 1
        lease.lane.in_flight -= 1
        lease.slot.in_flight -= 1
        extra = outcome.requests - 1
        if outcome.requests == 0 or outcome.kind is Kind.QUOTA:
            lease.project.window.give_back(lease.started_at)
        if outcome.kind is Kind.CANCELLED or outcome.requests == 0:
            lease.project.usage = max(0.0, lease.project.usage - lease.unit)
        elif extra > 0:
            lease.project.usage += extra * lease.unit
        self._take_in(lease, outcome, now, wall)

    def _take_in(self, lease: Lease, outcome: Outcome, now: float, wall: float) -> None:
        lane = lease.lane
        match outcome.kind:
            case Kind.OK:
                self._succeed(lease, now)
            case Kind.QUOTA | Kind.NO_QUOTA_HERE:
                lease.project.cooling.refuse(outcome, now, wall)
                if outcome.requests_per_minute is not None:
                    lease.project.window.learn(outcome.requests_per_minute, now)
            case Kind.KEY_DEAD:
                if lane.key.dead is None:
                    lane.key.dead = Death(outcome.detail, wall)
            case Kind.OVERLOADED:
                self._overloaded(lease, now)
            case Kind.TIMEOUT | Kind.FAULT:
                self._fault(lease, now, timeout=outcome.kind is Kind.TIMEOUT)
        if lease.probe is Probe.MODEL and self.breaker.is_open:
            if outcome.kind in FAULTS:
                self.breaker.probe_failed(now)
            else:
                self.breaker.probe_told_nothing()

    def _succeed(self, lease: Lease, now: float) -> None:
        lane = lease.lane
        lane.rate.add(faulty=False, now=now)
        lane.gate.count_success()
        self.breaker.count_answer()
        self._overload_run.clear()
        if lease.probe is Probe.GATE:
            lane.rate.clear()
            lane.gate.close(now)
            self.welcome(lane, now)
        elif lease.probe is Probe.QUOTA:
            lease.project.cooling.accept()
            self.welcome(lane, now)

    def _overloaded(self, lease: Lease, now: float) -> None:
        lane = lease.lane
        self._overload_run.append((lane, lane.gate.version))
        self._fault(lease, now, timeout=False)
        in_run = {other.key.position for other, _ in self._overload_run}
        live = sum(
            other.key.dead is None and (other.gate.is_live(now) or other.key.position in in_run) for other in self.lanes
        )
        if self.breaker.count_overload(lane.key.position, live, now):
            self._forgive_overload_run(now)

    def _forgive_overload_run(self, now: float) -> None:
        """The model was ill, not the keys: their part in the run is taken back."""
        for lane, version in self._overload_run:
            lane.rate.take_back_fault(now)
            lane.gate.count_success()
            if lane.gate.version != version and not lane.gate.is_live(now):
                lane.gate.close(now)
        self._overload_run.clear()

    def _fault(self, lease: Lease, now: float, *, timeout: bool) -> None:
        lane = lease.lane
        lane.rate.add(faulty=True, now=now)
        if lease.gate_version != lane.gate.version:
            return
        if lease.probe is Probe.GATE:
            lane.gate.open(now)
            return
        lane.gate.count_fault(timeout=timeout)
        error = lane.rate.error(now)
        if lane.gate.looks_bad(lane.rate.calls(now), error) and self._may_eject(lane, error, now):
            lane.gate.open(now)

    def _may_eject(self, lane: Lane, error: float, now: float) -> bool:
        alive = [other for other in self.lanes if other.key.dead is None]
        out = sum(not other.gate.is_live(now) for other in alive)
        if out + 1 > math.floor(len(alive) * self._config.max_ejected_share):
            return False
        others = [other for other in alive if other is not lane]
        faults = sum(other.rate.faults(now) for other in others)
        below = sum(other.rate.calls(now) for other in others) + self._config.error_prior
        peers = faults / below if below > 0 else 0.0
        return error >= self._config.peer_factor * peers

    def forgive(self, lease: Lease, now: float) -> None:
        """Take back the fault of a call whose length turned out to be the question's, not the key's."""
        lane = lease.lane
        lane.rate.take_back_fault(now)
        if lane.gate.version == lease.gate_version:
            lane.gate.count_success()
        elif lane.gate.version == lease.gate_version + 1 and not lane.gate.is_live(now):
            lane.gate.close(now)

    def welcome(self, lane: Lane, now: float) -> None:
        """Let a new or healed key start at the mean usage of the live ones, and give it an instance again."""
        if not self.instances.is_mapped(lane.key.position):
            self.instances.give_one_to(lane.key.position)
        if not self._config.lift_newcomers:
            return
        mine = self._project_of[lane.key.position]
        others = [project.usage for project in self.projects if project is not mine and project.live_lanes(now)]
        if others:
            mine.usage = max(mine.usage, sum(others) / len(others))

    def busy_projects(self, now: float) -> frozenset[str]:
        """Projects that have drawn far more than their share of the recent usage."""
        config, count = self._config, len(self.projects)
        unit = self._scale.unit(now)
        total = sum(project.usage for project in self.projects) / unit
        if count < 2 or total < config.busy_min_calls:
            return frozenset()
        share = max(config.busy_share, config.busy_times_fair / count)
        return frozenset(project.name for project in self.projects if project.usage / unit > share * total)

    def usage(self, project: ProjectModel, now: float) -> float:
        """1 + the project's decayed usage, as the score reads it."""
        return 1.0 + project.usage / self._scale.unit(now)

    def add_usage(self, lane: Lane, requests: int) -> None:
        """Count requests of a key that no call under way stands for; a spare key's go to the first instance."""
        slots = self.instances.of_key(lane.key.position) or self.instances.slots
        slots[0].usage += requests

    def owns(self, lease: Lease) -> bool:
        """Whether the call began in this pool, and not in one that was made anew since."""
        return self._project_of.get(lease.lane.key.position) is lease.project

    def project_of(self, lane: Lane) -> ProjectModel:
        """Give the project of a lane."""
        return self._project_of[lane.key.position]

    def _mark_probe(self, lease: Lease, *, under_way: bool) -> None:
        if lease.probe is Probe.GATE:
            lease.lane.gate.probing = under_way
        elif lease.probe is Probe.QUOTA:
            lease.project.cooling.probing = under_way
        elif lease.probe is Probe.MODEL:
            self.breaker.probing = under_way

    def _keep_scale_small(self, now: float) -> None:
        factor = self._scale.restart_when_large(now)
        if factor is not None:
            for project in self.projects:
                project.usage *= factor
