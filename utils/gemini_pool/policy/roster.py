"""The keys of one model's pool: taken in, taken out, dead, healed, and found to share a project.

``Roster`` makes the lane of a key and its project, and hands all of them to ``standing`` whenever they change. What
always holds: what is known of a key that stays (health, quota, usage, calls under way) stays when others come and go;
calls under way of a key that left end where they began; a project without a key is in no order and in no comparison.
Which keys there are is the operator's wish and comes from ``policy``; whether two projects are one is found out by
``quota.discovery``; a key that died stays on the roster, and may be welcomed again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from utils.gemini_pool.policy.breaker import Gate
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.health import Health
from utils.gemini_pool.policy.instances import InstanceMap
from utils.gemini_pool.policy.keys import Key
from utils.gemini_pool.policy.projects import Lane, Owner, ProjectModel
from utils.gemini_pool.policy.quota.discovery import Discovery
from utils.gemini_pool.policy.quota.limits import ModelLimits
from utils.gemini_pool.policy.quota.project_quota import ProjectQuota
from utils.gemini_pool.policy.records import Ledger
from utils.gemini_pool.policy.standing import Standing


class Roster:
    """Knows which keys one pool has, and which of them are alive.

    ``limits``: what the service named to any project. ``on_found`` is told the names of two projects that were found to
    be one; its listener has ``join`` called on every pool.
    """

    def __init__(
        self,
        pool: Owner,
        config: PoolConfig,
        *,
        ledger: Ledger,
        rng: random.Random,
        instances: InstanceMap,
        health: Health,
        standing: Standing,
        on_found: Callable[[str, str], None] | None,
    ) -> None:
        self.limits = ModelLimits(config)
        self._pool = pool
        self._config = config
        self._ledger = ledger
        self._rng = rng
        self._instances = instances
        self._health = health
        self._standing = standing
        self._discovery = Discovery(config)
        self.on_found = on_found

    def begin(self, keys: Sequence[Key], now: float, wall: float) -> None:
        """Take in the keys that a pool begins with; ``wall``: Unix seconds."""
        by_name: dict[str, ProjectModel] = {}
        lanes = [self._add(key, by_name, now, wall) for key in keys]
        self._man(lanes, keys)
        self._standing.take_over(by_name.values(), now)

    def rekey(self, keys: Sequence[Key], size: int, now: float, wall: float) -> None:
        """Take keys in and out; ``keys`` are new objects, and those that left are marked dead.

        A new project starts at the mean usage of the others. ``size``: how many instances there are from now on.
        """
        standing = self._standing
        project_of = {key.fingerprint: key.project for key in keys}
        stay = {
            lane.key.fingerprint: lane
            for lane in standing.lanes
            if project_of.get(lane.key.fingerprint) == lane.project.name
        }
        former = [stay.get(key.fingerprint) for key in keys]
        self._instances.rekey([lane.key.position if lane is not None else None for lane in former], size)
        for lane in standing.lanes:
            if lane.key.fingerprint not in stay:
                self._leave(lane, now)
        by_name = {project.name: project for project in standing.projects if project.lanes}
        known = set(by_name)
        lanes = [lane or self._add(key, by_name, now, wall) for lane, key in zip(former, keys, strict=True)]
        for slot in self._instances.slots:
            slot.usage = 0
        self._man(lanes, keys)
        for project in by_name.values():
            project.order_lanes()
        standing.take_over(sorted(by_name.values(), key=lambda project: project.position), now)
        for name in by_name.keys() - known:
            standing.lift(by_name[name], now)
            standing.rank(by_name[name], now)

    def bury(self, key: Key, now: float) -> None:
        """Take a key out that died, whichever model it died of."""
        lane = self._standing.lanes[key.position]
        self._health.alive -= 1
        self._standing.place(lane, now)

    def revive(self, now: float) -> None:
        """Give keys that are no longer dead another try."""
        self._health.alive = sum(lane.key.dead is None for lane in self._standing.lanes)
        for lane in self._standing.lanes:
            self._standing.place(lane, now)

    def welcome(self, lane: Lane, now: float) -> None:
        """Let a new or healed key start at the mean usage of the live ones, and give it an instance again."""
        if lane.key.dead is not None:
            return
        if not lane.slots:
            self._instances.give_one_to(lane.key.position)
        self._standing.place(lane, now)
        self._standing.lift(lane.project, now)
        self._standing.rank(lane.project, now)

    def look_for_shared(self, lane: Lane, now: float) -> None:
        """After a refusal: see whether the project of a lane is one with another, and with a third."""
        if self.on_found is None:
            return
        while (other := self._discovery.wall(lane.project.name, now)) is not None:
            self.on_found(other, lane.project.name)

    def join(self, kept: str, taken: str, now: float) -> None:
        """Make one project of two; calls under way end where they began. Nothing where one of the two is not here."""
        projects = self._standing.projects
        by_name = {project.name: project for project in projects}
        if kept not in by_name or taken not in by_name:
            return
        mine, other = by_name[kept], by_name[taken]
        self._discovery.forget(taken)
        mine.quota.absorb(other.quota, now)
        self._standing.ranking.drop(other)
        mine.usage += other.usage
        mine.in_flight += other.in_flight
        for lane in other.lanes:
            lane.project = mine
            mine.lanes.append(lane)
        mine.order_lanes()
        other.empty()
        self._standing.take_over((project for project in projects if project is not other), now)

    def _add(self, key: Key, by_name: dict[str, ProjectModel], now: float, wall: float) -> Lane:
        """Make the lane of a key, and its project unless it is there."""
        project = by_name.get(key.project)
        if project is None:
            quota = ProjectQuota(self._config, self.limits, now, wall)
            project = by_name[key.project] = ProjectModel(key.project, quota)
            self._discovery.know(project.name, quota)
        counts = self._ledger.of(key.fingerprint, self._pool.model)
        gate = Gate(self._config, self._rng)
        lane = Lane(key, self._pool, project, counts=counts, gate=gate, rate=self._health.rate())
        project.lanes.append(lane)
        return lane

    def _man(self, lanes: Sequence[Lane], keys: Sequence[Key]) -> None:
        """Give every lane its key and the instances of its place."""
        for lane, key in zip(lanes, keys, strict=True):
            lane.key = key
            lane.slots = self._instances.by_key[key.position]
            # what was counted before this pool, or for an instance that left, belongs to the first instance of its key
            self._pool.add_usage(lane, lane.counts.requests)
        self._health.alive = sum(key.dead is None for key in keys)

    def _leave(self, lane: Lane, now: float) -> None:
        """Take the lane of a key out that is not configured any more."""
        project = lane.project
        self._standing.place(lane, now)
        project.lanes.remove(lane)
        self._health.leave(lane)
        if not project.lanes:
            self._discovery.forget(project.name)
            self._standing.leave(project)
