"""The score of a key, score = (1 / usage) x (1 - error), and the counts behind it.

``Scale`` is the forward form of exponential decay: instead of shrinking every old count as time goes on, it lets the
unit of new counts grow, so that counts of all keys stay comparable without being touched. ``DecayedRate`` holds the
calls and faults of one key and model in such units. Time comes in with every call; nothing here reads a clock.
What always holds: counts kept in units of one scale compare at any time; whoever holds them multiplies all of them by
the factor that ``restart`` answers.
"""

from __future__ import annotations

import math

#: Units are started anew long before they leave the range of a float, and long before sums lose their small parts.
_RESTART_AT = 400.0
#: After days without a call the unit must still be a number.
LARGEST_EXPONENT = 1000.0
#: A fault that weighs less than this share of the calls is forgotten, so that a healed key costs what a sound one does.
FORGOTTEN = 0.001


class Scale:
    """One unit that doubles every half-life; a count divided by it is the decayed count.

    ``origin`` and ``rate`` (1 / half-life, 0 when nothing is ever forgotten) are read where a call costs too much:
    ``2.0 ** ((now - origin) * rate)`` is the unit.
    """

    __slots__ = ("origin", "rate")

    def __init__(self, half_life_s: float, now: float) -> None:
        self.rate = 0.0 if math.isinf(half_life_s) else 1.0 / half_life_s
        self.origin = now

    def unit(self, now: float) -> float:
        """How much one call that starts now weighs."""
        exponent = (now - self.origin) * self.rate
        unit: float = 2.0 ** (min(LARGEST_EXPONENT, exponent))
        return unit

    def restart(self, now: float) -> float | None:
        """Give the factor by which all stored counts must be multiplied, or None while the unit is small.

        Asked at least whenever a half-life may have passed many times, such as after a night without a call.
        """
        grown = (now - self.origin) * self.rate
        if grown < _RESTART_AT:
            return None
        self.origin = now
        return float(2.0**-grown) if grown < LARGEST_EXPONENT else 0.0


class DecayedRate:
    """Calls N and faults E of one key and model, in units of a shared scale; error = E / (N + prior).

    ``raw_calls`` and ``raw_faults`` are in the scale's units and are read and added to where a call costs too much.
    """

    __slots__ = ("_prior", "_scale", "raw_calls", "raw_faults")

    def __init__(self, scale: Scale, prior: float) -> None:
        self._scale = scale
        self._prior = prior
        self.raw_calls = 0.0
        self.raw_faults = 0.0

    def add(self, *, faulty: bool, now: float) -> None:
        """Count one ended call."""
        unit = self._scale.unit(now)
        self.raw_calls += unit
        self.raw_faults += unit if faulty else 0.0

    def take_back(self, calls: float, faults: float) -> None:
        """Remove counts given in the scale's units; never below 0."""
        self.raw_calls = max(0.0, self.raw_calls - calls)
        self.raw_faults = max(0.0, self.raw_faults - faults)

    def take_back_fault(self, now: float) -> None:
        """Remove one fault (and its call) that turned out not to be the key's."""
        unit = self._scale.unit(now)
        self.take_back(unit, unit)

    def clear(self) -> None:
        """Forget everything."""
        self.raw_calls = self.raw_faults = 0.0

    def times(self, factor: float) -> None:
        """Take part in a restart of the scale."""
        self.raw_calls *= factor
        self.raw_faults *= factor

    def calls(self, now: float) -> float:
        """N, decayed to now."""
        return self.raw_calls / self._scale.unit(now)

    def faults(self, now: float) -> float:
        """E, decayed to now."""
        return self.raw_faults / self._scale.unit(now)

    def error(self, now: float) -> float:
        """E / (N + prior), between 0 and 1; 0 when unused."""
        if not self.raw_faults:
            return 0.0
        return self.raw_faults / (self.raw_calls + self._prior * self._scale.unit(now))


def score(usage: float, error: float) -> float:
    """(1 / usage) x (1 - error); ``usage`` is at least 1."""
    return (1.0 - error) / usage


def rank(usage: float, unit: float, error: float) -> float:
    """Give the place in the order of scores: the lowest has the highest score.

    ``usage`` is a project's count in the scale's units, without the 1 that every usage starts at: of projects without
    errors the order by (1 + usage / unit) / (1 - error) is the order by ``usage``, whatever the unit has grown to, so
    their places stay right while time passes. With an error the place is right at the time it was taken.
    """
    if not error:
        return usage
    return (usage + unit * error) / (1.0 - error) if error < 1.0 else math.inf
