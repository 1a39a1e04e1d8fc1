"""How fast the line of a model is let go after a closure.

``Arrivals`` measures how many questions a second usually come; ``Pace`` spaces those who are let go by it. What always
holds: while the pace is on, at most ``release_factor`` times the usual arrivals go, so that a service that has just
come back is not met by everybody at once; one goes at least every ``usual_s`` seconds, however few usually ask. Who
starts and ends the pace is ``room``'s, the order of the line is ``line``'s.
"""

from __future__ import annotations

import math

#: Fresh arrivals join the decayed count so many times in a half-life: often enough that nobody sees the steps.
_FOLDS = 60
_LONGEST_HALF_LIFE_S = 86400.0


class Arrivals:
    """The usual rate of arrivals: a count halved every ``half_life_s``."""

    __slots__ = ("_began", "_count", "_folded_at", "_fresh", "_half_life_s", "_step_s")

    def __init__(self, half_life_s: float, now: float) -> None:
        self._half_life_s = min(half_life_s, _LONGEST_HALF_LIFE_S)
        self._step_s = self._half_life_s / _FOLDS
        self._began = self._folded_at = now
        self._count = 0.0
        self._fresh = 0

    def count(self, now: float) -> None:
        """Count one arrival."""
        self._fresh += 1
        if now - self._folded_at >= self._step_s:
            self._fold(now)

    def per_s(self, now: float) -> float:
        """Arrivals a second until ``now``, corrected for a start so short ago that the count has not filled up yet.

        ``now`` is the present: what is asked of a time to come would let the count fade before that time.
        """
        self._fold(now)
        seen = 1.0 - math.exp2(-max(now - self._began, self._step_s) / self._half_life_s)
        return self._count * math.log(2.0) / self._half_life_s / seen

    def _fold(self, now: float) -> None:
        self._count = self._count * math.exp2(-max(0.0, now - self._folded_at) / self._half_life_s) + self._fresh
        self._fresh = 0
        self._folded_at = now


class Pace:
    """The spacing of those who are let go; off until ``start``."""

    __slots__ = ("_factor", "_next_at", "on")

    def __init__(self, release_factor: float) -> None:
        self._factor = release_factor
        self._next_at = 0.0
        self.on = False

    def start(self, now: float) -> None:
        """Space from now on, and from those who went at a pace before; a pace that is on goes on as it was."""
        if not self.on:
            self.on = True
            self._next_at = max(self._next_at, now)

    def stop(self) -> None:
        """Let everybody go as they come."""
        self.on = False

    def allows(self, now: float) -> bool:
        """Whether the next may go now."""
        return not self.on or now >= self._next_at

    def went(self, now: float, per_s: float, usual_s: float) -> None:
        """Count one who went; ``per_s``: usual arrivals a second, ``usual_s``: what one answer usually takes."""
        if self.on:
            # who was let go late does not make the next ones wait
            self._next_at = max(self._next_at, now - self.gap_s(per_s, usual_s)) + self.gap_s(per_s, usual_s)

    def gap_s(self, per_s: float, usual_s: float) -> float:
        """Seconds between two who are let go."""
        rate = self._factor * per_s
        return min(1.0 / rate, usual_s) if rate > 0.0 else usual_s

    def at(self, place: int, now: float, per_s: float, usual_s: float) -> float:
        """When the one at this place (1 is next) may go (the clock's seconds)."""
        if not self.on:
            return now
        return max(now, self._next_at) + (place - 1) * self.gap_s(per_s, usual_s)
