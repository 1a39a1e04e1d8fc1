"""Find out which keys share a quota project although nobody said so.

A project that is refused while its own count is below the limit has a ``Wall`` (``project_quota``). A full minute ends
a minute after its oldest call, so the end tells when that call began. What always holds: two projects are called one
only by more than a coincidence in time, and by one of two signs:
- Both have walls with the same oldest call, and no second call of ours began at that moment. The service named them the
  same limit, they have sent no more than it together, and neither sent anything while the other was closed.
- What one and certain others have sent since its wall's oldest call adds up to the limit exactly, that call is among
  it, and no other choice of projects comes to the same.
Walls whose end was told in whole seconds say too little. Keys that are used elsewhere too do not add up; once that was
seen, no sum is believed of them. Merging is the caller's work, and so is saying so in the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.quota.project_quota import ProjectQuota, Wall

#: Choices among more projects than this are too many to try and too alike to tell apart.
_MOST_OTHERS = 10
#: A refusal takes at most this many times as long as another.
_ANSWERS_DIFFER = 3.0


class Discovery:
    """The projects of one model and their walls; every project has to be made known before its first call."""

    def __init__(self, config: PoolConfig) -> None:
        self._config = config
        self._projects: dict[str, ProjectQuota] = {}
        self._walled: set[str] = set()
        #: Projects that were full though nothing of ours added up to it.
        self._used_elsewhere: set[str] = set()

    def know(self, name: str, quota: ProjectQuota) -> None:
        """Take in a project."""
        self._projects[name] = quota

    def forget(self, name: str) -> None:
        """Leave out a project that was taken into another, or that is no more."""
        self._projects.pop(name, None)
        self._walled.discard(name)
        self._used_elsewhere.discard(name)

    def wall(self, name: str, now: float) -> str | None:
        """Look at a project after a refusal; answers the name of another that it is one with, or None.

        To be asked again at once when the two were merged and one forgotten, since a third may belong to them.
        """
        self._walled.add(name)
        walls = {one: wall for one in sorted(self._walled) if (wall := _standing(self._projects[one], now)) is not None}
        self._walled = set(walls)
        mine = walls.pop(name, None)
        if mine is None:
            return None
        for other, theirs in walls.items():
            if self._agree(mine, theirs) and self._sent_in_turn(name, mine, other, theirs, now):
                return other
        return self._by_adding_up(name, mine)

    def _agree(self, mine: Wall, theirs: Wall) -> bool:
        """Whether two walls may be one: they end together, with the same oldest call, which is the only one of then."""
        if mine.limit != theirs.limit or mine.oldest_at is None or theirs.oldest_at is None:
            return False
        agree_s = self._config.wall_agree_s
        if max(abs(mine.until - theirs.until), abs(mine.oldest_at - theirs.oldest_at)) > agree_s:
            return False
        early, late = sorted((mine.oldest_at, theirs.oldest_at))
        return sum(len(quota.starts_between(early - agree_s, late + agree_s)) for quota in self._projects.values()) == 1

    def _sent_in_turn(self, name: str, mine: Wall, other: str, theirs: Wall, now: float) -> bool:
        """Whether what two projects sent may be of one: nothing behind the other's wall, and within the limit."""
        first, second = self._projects[name], self._projects[other]
        if first.sent_since(theirs.at) or second.sent_since(mine.at):
            return False
        begins = now - self._config.minute_s
        return first.sent_since(begins) + second.sent_since(begins) <= mine.limit

    def _by_adding_up(self, name: str, wall: Wall) -> str | None:
        if wall.oldest_at is None:
            return None
        begins, latest = wall.oldest_at - self._config.wall_agree_s, wall.oldest_at + self._config.wall_agree_s
        sent: dict[str, list[float]] = {}
        for other, quota in self._projects.items():
            if starts := quota.starts_between(begins, wall.asked_at):
                sent[other] = starts
            if len(sent) > _MOST_OTHERS + 1:
                return None
        # calls begun shortly before may yet be refused, and would not add up then
        unsure_after = wall.asked_at - _ANSWERS_DIFFER * (wall.at - wall.asked_at)
        if any(starts[-1] > unsure_after for starts in sent.values()):
            return None
        mine = sent.pop(name, [])
        choices = _adding_up_to(wall.limit - len(mine), {other: len(starts) for other, starts in sent.items()})
        own_is_oldest = bool(mine) and mine[0] <= latest
        fitting = [choice for choice in choices if own_is_oldest or any(sent[one][0] <= latest for one in choice)]
        if not fitting:
            self._used_elsewhere.add(name)
        if len(fitting) != 1 or not self._used_elsewhere.isdisjoint((name, *fitting[0])):
            return None
        return fitting[0][0]


def _adding_up_to(total: int, counts: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Give every choice of names whose counts add up to a total."""
    for size in range(1, len(counts) + 1):
        for choice in combinations(counts, size):
            if sum(counts[name] for name in choice) == total:
                yield choice


def _standing(quota: ProjectQuota, now: float) -> Wall | None:
    return quota.wall if quota.wall is not None and now < quota.wall.until else None
