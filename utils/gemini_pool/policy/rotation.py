"""Every five minutes: instances of unhealthy keys move to the healthiest ones.

Unhealthy is a key that is dead or not live, whose error is above 20 %, or whose project has drawn far more than its
share. What always holds: no instance is lost, and nothing moves when no key is healthy. Between rotations the gates
act at once; a healthy key without an instance gets one back here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.instances import Instance
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
        _move_to(pool, ranked, [slot for slot in pool.instances.slots if slot.key not in healthy])
        for position in ranked:
            if not pool.lanes[position].slots:
                pool.instances.give_one_to(position)
        for lane in pool.lanes:
            pool.standing.place(lane, now)
    return [
        KeyReport(
            pool.model,
            lane.key.label,
            lane.key.position in healthy,
            lane.rate.error(now),
            _score(pool, lane, now),
            len(lane.slots),
        )
        for lane in pool.lanes
    ]


def _move_to(pool: ModelPool, ranked: Sequence[int], slots: Sequence[Instance]) -> None:
    """Map slots to the keys with the fewest, the better ranked first."""
    places = [(len(pool.lanes[position].slots), place) for place, position in enumerate(ranked)]
    heapify(places)
    for slot in slots:
        count, place = places[0]
        pool.instances.move(slot, ranked[place])
        heapreplace(places, (count + 1, place))


def is_healthy(pool: ModelPool, lane: Lane, config: PoolConfig, now: float) -> bool:
    """Whether a key keeps its instances."""
    return (
        lane.key.dead is None
        and lane.gate.is_live(now)
        and lane.rate.error(now) <= config.unhealthy_error_rate
        and not pool.standing.is_busy(lane.project, now)
    )


def _score(pool: ModelPool, lane: Lane, now: float) -> float:
    return score(pool.usage(lane.project, now), lane.rate.error(now))
