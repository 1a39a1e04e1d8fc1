"""What one (project, model) has sent: the starts of the last minute and hour, its tokens, and the requests of the day.

``Sent`` counts at the start of a call, because that is when the service counts it, and is corrected at its end: a call
that was refused or never sent gives its place back, one that sent more than one request takes more. What always holds:
counts are never below 0; the day ends by the monotonic clock, and the wall clock is asked for the next midnight only
when a day has begun and at a refusal, so that a wall clock that jumps does no harm.
"""

from __future__ import annotations

from collections import deque

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.quota.pacific import seconds_to_pacific_midnight
from utils.gemini_pool.policy.quota.windows import TokenWindow, count_since, drop_before, give_back, merge

_DAY_S = 86400.0
#: A day that ends this soon after another began is the same midnight, seen by a wall clock that is a little behind.
_CLOCKS_DIFFER_S = 3600.0


class Sent:
    """The record of one (project, model); times are the clock's seconds.

    ``minute_s``: how long a place is taken, with the margin. ``day_ends``: when the service's day is over for sure.
    """

    __slots__ = (
        "_config",
        "_day_base",
        "_gone",
        "day_ends",
        "day_unsure",
        "hour",
        "hour_s",
        "margin_s",
        "minute_s",
        "starts",
        "tokens",
    )

    def __init__(self, config: PoolConfig, now: float, wall: float) -> None:
        self._config = config
        self.hour_s = config.minute_s * 60.0
        self.widen(config.minute_margin_s)
        #: Starts of the last minute, and of a little more: what the widest margin may ask for.
        self.starts: deque[float] = deque()
        #: Starts of the last hour, kept only while we have a limit of our own for it.
        self.hour: deque[float] = deque()
        self.tokens = TokenWindow()
        # requests ever begun are those in the line and those gone from it; today's are what came after a base
        self._gone = 0
        self._day_base = 0
        self.day_ends = now + seconds_to_pacific_midnight(wall) + self.margin_s
        #: Whether the end of the day was guessed since the wall clock was last asked.
        self.day_unsure = False

    @property
    def today(self) -> int:
        """Requests begun on this Pacific day."""
        return self._gone + len(self.starts) - self._day_base

    @today.setter
    def today(self, requests: int) -> None:
        self._day_base = self._gone + len(self.starts) - requests

    @property
    def kept_s(self) -> float:
        """How long starts are kept: as long as a refusal may still tell that the widest margin was too small."""
        config = self._config
        return config.minute_s + max(config.margin_cap_s, self.margin_s) + config.margin_early_s

    def widen(self, margin_s: float) -> None:
        """Let a place be taken for this much longer than a minute."""
        self.margin_s = margin_s
        self.minute_s = self._config.minute_s + margin_s

    def in_minute(self, now: float) -> int:
        """How many requests hold a place now."""
        return count_since(self.starts, now - self.minute_s)

    def tend(self, now: float) -> None:
        """Forget what is old and turn the day."""
        self._gone += drop_before(self.starts, now - self.kept_s)
        if self.hour:
            drop_before(self.hour, now - self.hour_s)
        if now >= self.day_ends:
            self._next_day(now)

    def correct(self, started_at: float, requests: int, now: float) -> None:
        """Count what a call sent beyond the one request counted at its start, or take that one back."""
        if requests <= 0:
            give_back(self.starts, started_at)
            give_back(self.hour, started_at)
        else:
            self._add(now, requests - 1)

    def find_midnight(self, now: float, wall: float) -> None:
        """Set the end of the day by the wall clock."""
        left = seconds_to_pacific_midnight(wall)
        since_last = now + _DAY_S - self.day_ends
        if left < _CLOCKS_DIFFER_S and 0.0 <= since_last < _CLOCKS_DIFFER_S:
            left += seconds_to_pacific_midnight(wall + left)
        self.day_unsure = False
        self.day_ends = now + left + self.margin_s

    def absorb(self, other: Sent) -> None:
        """Take in the record of another part of the same project."""
        today = self.today + other.today
        merge(self.starts, other.starts)
        merge(self.hour, other.hour)
        self.today = today
        self.tokens.absorb(other.tokens)
        self.widen(max(self.margin_s, other.margin_s))

    def _add(self, now: float, requests: int) -> None:
        for _ in range(requests):
            self.starts.append(now)
            if self._config.own_per_hour:
                self.hour.append(now)

    def _next_day(self, now: float) -> None:
        """Begin a day; what was sent around midnight is counted to both, since the service may have it in either."""
        self.today = count_since(self.starts, self.day_ends - 2.0 * self.margin_s)
        self.day_ends += ((now - self.day_ends) // _DAY_S + 1.0) * _DAY_S
        self.day_unsure = True
