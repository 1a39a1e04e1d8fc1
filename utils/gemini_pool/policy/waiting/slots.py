"""When nothing can serve now: when a place comes free for the k-th who waits, and what is in the way until then.

Pure. Every project is a way (``_way``): the times at which its quota lets one more call begin, behind the gate of its
keys; ``slots`` merges the ways of a model, soonest first, and ``Slots`` keeps the merged times for a while, so that
thousands who wait do not cost thousands of looks over all projects. What always holds: when the slots were merged, the
first was no later than the time at which a call could in fact begin. ``Obstacle`` names what is in the way in the words
the refusal uses.
"""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

from utils.gemini_pool.policy.outcome import Kind
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.projects import ProjectModel

#: A merged list is used for this long per project and slot in it, so that making it costs a few hundredths of the time.
_KEPT_S = 0.0001
#: So many more slots are looked up than asked for, since the next who asks will stand further back.
_AHEAD = 32


class Obstacle(StrEnum):
    """Why nothing can serve."""

    ALL_DEAD = "all_dead"
    QUOTA = "quota"
    OVERLOADED = "overloaded"
    FAULTS = "faults"
    DEADLINE = "deadline"
    LINE_FULL = "line_full"


_OBSTACLES = {
    Kind.QUOTA: Obstacle.QUOTA,
    Kind.NO_QUOTA_HERE: Obstacle.QUOTA,
    Kind.OVERLOADED: Obstacle.OVERLOADED,
    Kind.KEY_DEAD: Obstacle.ALL_DEAD,
}


def obstacle_of(kind: Kind) -> Obstacle:
    """Give what stood in the way of a request that ended with an outcome of this kind."""
    return _OBSTACLES.get(kind, Obstacle.FAULTS)


@dataclass(frozen=True, slots=True)
class Slot:
    """When the next call could begin (the clock's seconds; None: never by itself), and what is in the way until then.

    ``guess``: the time depends on the end of a call that is under way.
    """

    at: float | None
    obstacle: Obstacle
    guess: bool = False


#: The time, whether it is a guess, and the obstacle: in the order that compares.
_Entry = tuple[float, bool, Obstacle]
NO_KEY = Slot(None, Obstacle.ALL_DEAD)


class Slots:
    """The slots of one model's pool for everybody who waits, merged anew when they are too old."""

    __slots__ = ("_entries", "_gone", "_good_until", "_made_at", "_pool")

    def __init__(self) -> None:
        self._pool: ModelPool | None = None
        self._entries: list[_Entry] = []
        self._gone = 0
        self._made_at = self._good_until = float("-inf")

    def at(self, pool: ModelPool, place: int, now: float, usual_s: float) -> Slot:
        """Give the slot of the ``place``-th who waits (1 is next); ``usual_s``: what an answer usually takes."""
        self._merge(pool, now, usual_s, place)
        if self._gone + place > len(self._entries):
            return NO_KEY
        at, guess, obstacle = self._entries[self._gone + place - 1]
        return Slot(max(at, now), obstacle, guess)

    def until(self, pool: ModelPool, at: float, now: float, usual_s: float, *, at_least: int) -> int:
        """Count the slots until ``at``, of the next ``at_least`` and some more."""
        self._merge(pool, now, usual_s, at_least)
        return bisect_right(self._entries, at, key=itemgetter(0)) - self._gone

    def _merge(self, pool: ModelPool, now: float, usual_s: float, places: int) -> None:
        """See to it that so many slots are known."""
        known = self._gone + places <= len(self._entries) and self._made_at <= now <= self._good_until
        if not known or pool is not self._pool:
            self._gone = 0
            self._pool = pool
            self._entries = list(itertools.islice(slots(pool, now, usual_s), places + places // 4 + _AHEAD))
            self._made_at = now
            self._good_until = now + _KEPT_S * (len(pool.projects) + len(self._entries))

    def take(self) -> None:
        """Count that a call began: the next slot is gone."""
        self._gone += 1

    def forget(self) -> None:
        """Look anew at the next question, because something else changed."""
        self._good_until = float("-inf")


def slots(pool: ModelPool, now: float, usual_s: float) -> Iterator[_Entry]:
    """Give the times at which one more call may begin, soonest first; without end unless every key is dead."""
    ways = [_way(project, now, usual_s) for project in pool.projects if _alive(project)]
    breaker = pool.breaker
    if not breaker.is_open:
        yield from heapq.merge(*ways)
        return
    if ways:
        probe_at = now + usual_s if breaker.probing else max(now, breaker.next_probe_at)
        yield probe_at, True, Obstacle.OVERLOADED
        # everybody else follows the probe that is answered
        for at, _, _ in heapq.merge(*ways):
            yield max(at, probe_at + usual_s), True, Obstacle.OVERLOADED


def _alive(project: ProjectModel) -> bool:
    return any(lane.key.dead is None for lane in project.lanes)


def _way(project: ProjectModel, now: float, usual_s: float) -> Iterator[_Entry]:
    """Give the slots of one project with a key that is not dead."""
    if project.live_lanes(now):
        return _by_quota(project, now, usual_s)
    gates = [lane.gate for lane in project.lanes if lane.key.dead is None]
    opens = min(now + usual_s if gate.probing else max(now, gate.open_until) for gate in gates)
    guess = any(gate.probing for gate in gates)
    return _behind_gate(_by_quota(project, now, usual_s), opens, usual_s, guess=guess)


def _by_quota(project: ProjectModel, now: float, usual_s: float) -> Iterator[_Entry]:
    """Give the times the quota allows; a probe of a long closure, or the end of a call, may bring the first sooner."""
    quota = project.quota
    if not quota.limited:
        yield from itertools.repeat((now, False, Obstacle.QUOTA))
    times = quota.free_times(now)
    first, opens = next(times), quota.next_open_at(now, project.in_flight)
    if opens < first:
        # what a probe finds out decides whether anybody can follow it before the closure ends
        yield opens, False, Obstacle.QUOTA
    if opens == math.inf and first <= now:
        first = now + usual_s
    by_a_call = opens == math.inf or quota.probing
    yield first, by_a_call, Obstacle.QUOTA
    for at in times:
        yield max(at, first), by_a_call, Obstacle.QUOTA


def _behind_gate(times: Iterator[_Entry], opens: float, usual_s: float, *, guess: bool) -> Iterator[_Entry]:
    """One call goes when the gate opens, to find out; the others follow its answer."""
    yield max(next(times)[0], opens), guess, Obstacle.FAULTS
    for at, _, _ in times:
        yield max(at, opens + usual_s), True, Obstacle.FAULTS
