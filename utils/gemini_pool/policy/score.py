"""The score of a key, score = (1 / usage) x (1 - error), and the counts behind it.

``Scale`` is the forward form of exponential decay: instead of shrinking every old count as time goes on, it lets the
unit of new counts grow, so that counts of all keys stay comparable without being touched. ``DecayedRate`` holds the
calls and faults of one key and model. Time comes in with every call; nothing here reads a clock.
"""

from __future__ import annotations

import math

_RENORMALISE_AT = 2.0**400
_LARGEST_EXPONENT = 1000.0


class Scale:
    """One unit that doubles every half-life; a count divided by it is the decayed count."""

    __slots__ = ("_half_life", "_origin")

    def __init__(self, half_life_s: float, now: float) -> None:
        self._half_life = half_life_s
        self._origin = now

    def unit(self, now: float) -> float:
        """How much one call that starts now weighs."""
        if math.isinf(self._half_life):
            return 1.0
        # a clock that stepped back must not shrink the unit below what was handed out before; and after days without
        # a call, which is what renormalises, the unit must still be a number
        return float(2.0 ** min(max(0.0, now - self._origin) / self._half_life, _LARGEST_EXPONENT))

    def restart_when_large(self, now: float) -> float | None:
        """Return the factor by which all stored counts must be multiplied, or None while the unit is small."""
        unit = self.unit(now)
        if unit < _RENORMALISE_AT:
            return None
        self._origin = now
        return 1.0 / unit


class DecayedRate:
    """Calls N and faults E of one key and model, both halving every ``half_life_s``; error = E / (N + prior)."""

    __slots__ = ("_at", "_calls", "_faults", "_half_life", "_prior")

    def __init__(self, half_life_s: float, prior: float) -> None:
        self._half_life = half_life_s
        self._prior = prior
        self._calls = 0.0
        self._faults = 0.0
        self._at = 0.0

    def add(self, *, faulty: bool, now: float) -> None:
        """Count one ended call."""
        self._decay(now)
        self._calls += 1.0
        self._faults += 1.0 if faulty else 0.0

    def take_back_fault(self, now: float) -> None:
        """Remove one fault (and its call) that turned out not to be the key's."""
        self._decay(now)
        self._calls = max(0.0, self._calls - 1.0)
        self._faults = max(0.0, self._faults - 1.0)

    def clear(self) -> None:
        """Forget everything."""
        self._calls = self._faults = 0.0

    def calls(self, now: float) -> float:
        """N, decayed to now."""
        self._decay(now)
        return self._calls

    def faults(self, now: float) -> float:
        """E, decayed to now."""
        self._decay(now)
        return self._faults

    def error(self, now: float) -> float:
        """E / (N + prior), between 0 and 1; 0 when unused."""
        self._decay(now)
        below = self._calls + self._prior
        return self._faults / below if below > 0 else 0.0

    def _decay(self, now: float) -> None:
        if now > self._at:
            if not math.isinf(self._half_life):
                factor = 0.5 ** ((now - self._at) / self._half_life)
                self._calls *= factor
                self._faults *= factor
            self._at = now


def score(usage: float, error: float) -> float:
    """(1 / usage) x (1 - error); ``usage`` is at least 1."""
    return (1.0 - error) / usage
