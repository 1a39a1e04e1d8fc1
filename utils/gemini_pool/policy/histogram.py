"""How long something usually takes, learned from what it took: a histogram that slowly forgets.

``Histogram`` counts lengths of time in buckets of equal ratio (10 ms to 20 minutes, each a tenth wider than the one
before), so that it is as exact about 0.3 s as about 30 s. The newest weighs most: a value is worth half after
``half_life`` later ones, whatever time that took, so a quiet night forgets nothing. What always holds: one more value
costs the same whatever came before; what quantiles are read from is reckoned anew once in 32 values. An estimate that
moves with each value (P2, https://doi.org/10.1145/4372.4378) would need no buckets, but neither forgets nor can be
saved.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate

_SHORTEST_S = 0.01
_LONGEST_S = 1200.0
_PER_LOG = 1.0 / math.log(1.1)
_OFFSET = -math.log(_SHORTEST_S) * _PER_LOG
_LAST = int(math.log(_LONGEST_S) * _PER_LOG + _OFFSET)
_LARGEST_WEIGHT = 1e9
_RECKON_EVERY = 32
#: Buckets worth less than this part of the whole are left out of what is saved.
_WORTH_SAVING = 1e-4


class Histogram:
    """Lengths of time of one kind, and how they are spread."""

    __slots__ = ("_growth", "_reckon_at", "_sums", "_weight", "_weights", "_worth", "seen")

    def __init__(self, half_life: float) -> None:
        half_life = max(1.0, half_life)
        self._growth = 2.0 ** (1.0 / half_life)
        # what endlessly many values are worth together
        self._worth = half_life / math.log(2.0)
        self._weights = [0.0] * (_LAST + 1)
        self._weight = 1.0
        self._sums: list[float] = []
        self._reckon_at = 1
        #: How many values were counted.
        self.seen = 0

    def add(self, seconds: float) -> bool:
        """Count one value; answers whether ``quantile`` may answer anew."""
        place = int(math.log(seconds) * _PER_LOG + _OFFSET) if seconds > _SHORTEST_S else 0
        self._weights[min(place, _LAST)] += self._weight
        self._weight *= self._growth
        self.seen += 1
        if self.seen < self._reckon_at:
            return False
        self._reckon()
        return True

    def quantile(self, share: float) -> float:
        """Give the length in seconds that ``share`` (0 to 1) of the values keep below; 0 while there is none."""
        sums = self._sums
        if not sums:
            return 0.0
        wanted = share * sums[-1]
        place = bisect_left(sums, wanted)
        below = sums[place - 1] if place else 0.0
        inside = (wanted - below) / (sums[place] - below) if sums[place] > below else 0.0
        return math.exp((place + inside - _OFFSET) / _PER_LOG)

    def save(self) -> dict[str, object]:
        """Give a JSON-ready copy: ``seen``, and the ``shares`` of the buckets that are not empty, in thousandths."""
        total = sum(self._weights)
        worth = total * _WORTH_SAVING
        return {
            "seen": self.seen,
            "shares": {
                str(place): round(1000.0 * weight / total, 3)
                for place, weight in enumerate(self._weights)
                if weight > worth
            },
        }

    def restore(self, document: Mapping[str, object]) -> None:
        """Take up a saved copy in place of what was counted; a document of another shape changes nothing."""
        seen, shares = document.get("seen"), document.get("shares")
        if not isinstance(seen, int) or seen < 1 or not isinstance(shares, Mapping):
            return
        weights = [_share(shares.get(str(place))) for place in range(_LAST + 1)]
        total = sum(weights)
        if total <= 0.0:
            return
        factor = min(float(seen), self._worth) / total
        self._weights = [weight * factor for weight in weights]
        self._weight = 1.0
        self.seen = seen
        self._reckon()

    def _reckon(self) -> None:
        if self._weight > _LARGEST_WEIGHT:
            self._weights = [weight / self._weight for weight in self._weights]
            self._weight = 1.0
        self._sums = list(accumulate(self._weights))
        self._reckon_at = self.seen + min(_RECKON_EVERY, max(1, self.seen // 8))


def _share(value: object) -> float:
    # a truth value is a number to Python, but none that was saved here
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 1000.0:
        return 0.0
    return float(value)
