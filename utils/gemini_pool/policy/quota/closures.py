"""The closure of one (project, model) after a refusal: how long nothing is sent, and when one request may ask again.

What always holds: a later, shorter wait never shortens a longer one, and only an answer to a call that was begun to
find out ends a closure before its time. A spent day ends at midnight in Los Angeles and gets one probe an hour, because
a limit named "per day" has been seen to end sooner (https://github.com/diegosouzapw/OmniRoute/pull/9513). A project
without any quota for the model stays closed until one of its probes, one a day, is answered.
"""

from __future__ import annotations

from enum import StrEnum

from utils.gemini_pool.policy.config import PoolConfig


class Closed(StrEnum):
    """Why a project is closed for a model."""

    MINUTE = "minute"
    DAY = "day"
    NO_QUOTA = "no_quota"


# members of an enumeration are slow to look up, and this one is asked for before every call
_NO_QUOTA = Closed.NO_QUOTA


class Closure:
    """Until when, why, and whether a probe is under way; times are the clock's seconds."""

    __slots__ = ("_config", "probe_at", "probing", "until", "why")

    def __init__(self, config: PoolConfig) -> None:
        self._config = config
        self.until = 0.0
        self.why: Closed | None = None
        self.probe_at = 0.0
        self.probing = False

    def is_closed(self, now: float) -> bool:
        """Whether nothing but a probe may be sent."""
        return now < self.until or self.why is _NO_QUOTA

    def wants_probe(self, now: float) -> bool:
        """Whether one request may be sent in spite of the closure."""
        return self.is_closed(now) and self.why is not Closed.MINUTE and not self.probing and now >= self.probe_at

    def opens_at(self, now: float) -> float:
        """When more than a probe may be sent, if the next probe of a project without quota is answered."""
        if self.why is _NO_QUOTA:
            return max(now, self.probe_at)
        return max(now, self.until)

    def close_minute(self, now: float, wait: float | None) -> None:
        """Take in a full minute; ``wait``: seconds the service asked for, if it did."""
        # a wait shorter than the clocks' difference would only be refused again
        wait = self._config.cooling_default_s if wait is None else max(wait, self._config.minute_margin_s)
        if self.is_closed(now):
            self.probe_at = max(self.probe_at, now + wait)
        self._close(Closed.MINUTE, now + wait)

    def close_day(self, now: float, day_ends: float) -> None:
        """Take in a spent day."""
        self.probe_at = max(self.probe_at, now + self._config.day_probe_s)
        self._close(Closed.DAY, day_ends)

    def close_for_good(self, now: float) -> None:
        """Take in that the project has no quota for the model."""
        self.probe_at = max(self.probe_at, now + self._config.closed_probe_s)
        self._close(Closed.NO_QUOTA, self.probe_at)

    def open(self) -> None:
        """End the closure: a probe was answered."""
        self.until = self.probe_at = 0.0
        self.why = None

    def restore(self, why: Closed, until: float, probe_at: float) -> None:
        """Take up a closure that began before a restart."""
        self.probe_at = max(self.probe_at, probe_at)
        self._close(why, until)

    def absorb(self, other: Closure) -> None:
        """Take up the closure of another part of the same project, if it lasts longer."""
        self.probing = self.probing or other.probing
        if other.why is not None:
            self.restore(other.why, other.until, other.probe_at)

    def _close(self, why: Closed, until: float) -> None:
        if until >= self.until:
            self.until, self.why = until, why
