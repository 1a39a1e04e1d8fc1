"""The order of projects by score, kept so that the best is found without looking at the others.

score = (1 / usage) x (1 - error); ``Ranking`` holds every project that can serve at its place in that order
(``score.rank``, lowest first). What makes it flat: the best project's next place is its place plus one unit, and units
never shrink, so as long as no error, no healing and no call taken back disturbs the order, each new place is behind
all others and a plain queue is in order by itself; only what is out of step goes through a heap. A place that changed
is written anew and the old one is passed over when it comes up. What always holds: a project has at most one valid
place (its ``entry``); ``open`` counts the projects in the order.
``ModelPool.begin`` reads ``queue`` and ``heap`` itself where a call would cost too much.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Any, Generic, Protocol, TypeVar

#: Rank, what decides between equal ranks, and the project itself.
Entry = tuple[float, int, Any]

_STALE_ALLOWED = 64


class Probe(StrEnum):
    """What a request finds out besides its answer."""

    NONE = "none"
    GATE = "gate"
    QUOTA = "quota"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one request would like: keys it has tried, and whether it can afford to try a doubtful one."""

    tried: frozenset[int] = frozenset()
    may_probe: bool = True


#: What a request wishes at its first attempt, with time enough: compared by identity.
FIRST = Wishes()


class Ranked(Protocol):
    """What stands in the order."""

    entry: Entry | None

    @property
    def position(self) -> int:
        """Which comes first among equals where turns are not taken."""


Project = TypeVar("Project", bound=Ranked)


class Ranking(Generic[Project]):
    """All projects that can serve, the best first.

    ``by_turn``: equal ranks go to the longest unused; otherwise to the first in position, and there is no queue.
    """

    __slots__ = ("by_turn", "heap", "number", "open", "queue")

    def __init__(self, *, by_turn: bool) -> None:
        self.by_turn = by_turn
        self.queue: deque[Entry] = deque()
        self.heap: list[Entry] = []
        #: Numbers places, so that of equal ranks the older place comes first.
        self.number = 0
        self.open = 0

    def put(self, project: Project, rank: float) -> None:
        """Give a project a place, new or instead of the one it has."""
        if project.entry is None:
            self.open += 1
        self.number += 1
        second = self.number if self.by_turn else project.position
        entry = project.entry = (rank, second, project)
        if self.by_turn and (not self.queue or self.queue[-1][0] <= rank):
            self.queue.append(entry)
        else:
            heappush(self.heap, entry)

    def drop(self, project: Project) -> None:
        """Take a project out of the order; without a place it stays as it is."""
        if project.entry is not None:
            project.entry = None
            self.open -= 1

    def pop(self) -> Project | None:
        """Take the best project off the top, to be ``put`` anew, ``put_back`` or dropped; None: there is none."""
        queue, heap = self.queue, self.heap
        while queue or heap:
            entry = heappop(heap) if heap and (not queue or heap[0] < queue[0]) else queue.popleft()
            project: Project = entry[2]
            if project.entry is entry:
                return project
        return None

    def put_back(self, projects: Iterable[Project]) -> None:
        """Return projects taken off the top to the places they had."""
        for project in projects:
            if project.entry is not None:
                heappush(self.heap, project.entry)

    def best(self) -> Entry | None:
        """Look at the best place; it stays where it is."""
        project = self.pop()
        if project is None:
            return None
        self.put_back((project,))
        return project.entry

    def sweep(self) -> None:
        """Remove places that are no longer valid, when there are more of them than of the others."""
        if len(self.queue) + len(self.heap) <= 2 * self.open + _STALE_ALLOWED:
            return
        kept = [entry for entry in self.queue if entry[2].entry is entry]
        self.queue.clear()
        self.queue.extend(kept)
        # in place: whoever holds the list keeps holding the right one
        self.heap[:] = [entry for entry in self.heap if entry[2].entry is entry]
        heapify(self.heap)

    def rebuild(self, ranked: Iterable[tuple[Project, float]]) -> None:
        """Start over with these projects at these ranks; used when the scale of all ranks changes."""
        self.queue.clear()
        self.heap.clear()
        for project, rank in sorted(ranked, key=lambda one: one[1]):
            if project.entry is not None:
                self.put(project, rank)
