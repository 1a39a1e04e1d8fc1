"""What happened when in a run: counts by time, for a picture.

``timeline`` sorts what a ``Recorder`` has kept into bins of equal length. What always holds: every question is counted
once when it was asked and once when it ended, so those under way are never fewer than none and are none in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from utils.gemini_pool.policy import Kind

_BINS = 120
_SHORTEST_S = 1.0

#: What calls came to, as people tell them apart.
OUTCOMES = {
    "answered": frozenset({Kind.OK}),
    "over a quota": frozenset({Kind.QUOTA, Kind.NO_QUOTA_HERE}),
    "overloaded": frozenset({Kind.OVERLOADED}),
    "failed or timed out": frozenset({Kind.FAULT, Kind.TIMEOUT}),
    "dead key": frozenset({Kind.KEY_DEAD}),
    "the caller's mistake": frozenset({Kind.CALLER}),
}


@dataclass(frozen=True, slots=True)
class Timeline:
    """Numbers for every ``bin_s`` seconds from the start.

    ``answered`` and ``unanswered``: questions that ended in the bin; ``under_way``: at its end; ``calls``: by the names
    of ``OUTCOMES``, those that ended in it.
    """

    bin_s: float
    answered: Sequence[int]
    unanswered: Sequence[int]
    under_way: Sequence[int]
    calls: Mapping[str, Sequence[int]]


def timeline(
    asked: Sequence[float], served: Sequence[float], gone: Sequence[float], ended: Sequence[tuple[float, Kind]]
) -> Timeline:
    """Count when questions were asked, answered and given up, and when calls ended (seconds since the start)."""
    last = max((*asked[-1:], *served[-1:], *gone[-1:], *(at for at, _ in ended[-1:])), default=0.0)
    bin_s = max(_SHORTEST_S, last / _BINS)
    # one more than are filled: who draws from each bin's start to the next shows the last one, too
    bins = int(last / bin_s) + 2

    def count(times: Iterable[float]) -> list[int]:
        counts = [0] * bins
        for at in times:
            counts[int(at / bin_s)] += 1
        return counts

    answered, unanswered = count(served), count(gone)
    changes = (come - one - other for come, one, other in zip(count(asked), answered, unanswered, strict=True))
    calls = {name: count(at for at, kind in ended if kind in kinds) for name, kinds in OUTCOMES.items()}
    return Timeline(bin_s, answered, unanswered, list(accumulate(changes)), calls)
