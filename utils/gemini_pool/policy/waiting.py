"""When nothing can serve now: when something could, and whether that is soon enough.

Pure. ``next_slot`` looks over all open ways of a model; ``Obstacle`` names what is in the way in the words the refusal
will use. What always holds: a request is refused at once when the next slot comes too late for an answer, and is told
the true time to try again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.pools import ModelPool


class Obstacle(StrEnum):
    """Why nothing can serve."""

    ALL_DEAD = "all_dead"
    QUOTA = "quota"
    OVERLOADED = "overloaded"
    FAULTS = "faults"
    DEADLINE = "deadline"
    LINE_FULL = "line_full"


@dataclass(frozen=True, slots=True)
class Slot:
    """When the next call could begin (the clock's seconds; None: never by itself), and what is in the way until then.

    ``guess``: the time depends on the end of a call that is under way.
    """

    at: float | None
    obstacle: Obstacle
    guess: bool = False


def next_slot(pool: ModelPool, config: PoolConfig, now: float) -> Slot:
    """Find the next time a request for this model could be sent."""
    alive = [lane for lane in pool.lanes if lane.key.dead is None]
    if not alive:
        return Slot(None, Obstacle.ALL_DEAD)
    if pool.breaker.is_open:
        probing = pool.breaker.probing
        at = now + config.usual_p50_s if probing else max(now, pool.breaker.next_probe_at)
        return Slot(at, Obstacle.OVERLOADED, guess=True)
    slots = []
    for lane in alive:
        project = pool.project_of(lane)
        cooling, gate = project.cooling, lane.gate
        at = max(cooling.next_open_at(now), project.window.next_room_at(now))
        if cooling.probing and not cooling.is_open(now):
            slots.append(Slot(now + config.usual_p50_s, Obstacle.QUOTA, guess=True))
        elif gate.is_live(now):
            slots.append(Slot(at, Obstacle.QUOTA))
        elif gate.probing:
            slots.append(Slot(max(at, now + config.usual_p50_s), Obstacle.FAULTS, guess=True))
        else:
            slots.append(Slot(max(at, gate.open_until), Obstacle.FAULTS))
    return min(slots, key=lambda slot: slot.at if slot.at is not None else float("inf"))
