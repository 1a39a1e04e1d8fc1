"""Every five minutes: instances of unhealthy keys move to the healthiest ones.

Unhealthy is a key that is dead or not live, whose error is above 20 %, or whose project has drawn far more than its
share. What always holds: no instance is lost, and nothing moves when no key is healthy. Between rotations the gates
act at once; a healthy key without an instance gets one back here.
"""

from __future__ import annotations

from dataclasses import dataclass

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.projects import Lane
from utils.gemini_pool.policy.score import score


@dataclass(frozen=True, slots=True)
class KeyReport:
    """One key's line in the log of a rotation."""

    model: str
    label: str
    healthy: bool
    error: float
    score: float
    instances: int


def rotate(pool: ModelPool, config: PoolConfig, now: float) -> list[KeyReport]:
    """Move the instances of one model; answers a report for every key, by position."""
    healthy = {lane.key.position: lane for lane in pool.lanes if is_healthy(pool, lane, config, now)}
    if healthy:
        ranked = sorted(healthy, key=lambda position: (-_score(pool, healthy[position], now), position))
        for slot in [slot for slot in pool.instances.slots if slot.key not in healthy]:
            counts = pool.instances.counts()
            pool.instances.move(slot, min(ranked, key=lambda position: counts[position]))
        for position in ranked:
            if not pool.instances.is_mapped(position):
                pool.instances.give_one_to(position)
    counts = pool.instances.counts()
    return [
        KeyReport(
            pool.model,
            lane.key.label,
            lane.key.position in healthy,
            lane.rate.error(now),
            _score(pool, lane, now),
            counts[lane.key.position],
        )
        for lane in pool.lanes
    ]


def is_healthy(pool: ModelPool, lane: Lane, config: PoolConfig, now: float) -> bool:
    """Whether a key keeps its instances."""
    return (
        lane.key.dead is None
        and lane.gate.is_live(now)
        and lane.rate.error(now) <= config.unhealthy_error_rate
        and pool.project_of(lane).name not in pool.busy_projects(now)
    )


def _score(pool: ModelPool, lane: Lane, now: float) -> float:
    return score(pool.usage(pool.project_of(lane), now), lane.rate.error(now))
