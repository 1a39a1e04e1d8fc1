"""Quota of one (project, model): how long it is closed, and until when.

The service's limits belong to the project, not to the key
(https://ai.google.dev/gemini-api/docs/rate-limits), so a refusal closes the project for the model and is no fault of
the key. What always holds: a later, shorter wait never shortens a longer one. A daily limit ends at midnight in
America/Los_Angeles and gets one probe an hour, because a limit named "per day" has been seen to end sooner; a project
without any quota for the model gets one probe a day.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from zoneinfo import ZoneInfo

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, Outcome, Window

_PACIFIC = ZoneInfo("America/Los_Angeles")


class Closed(StrEnum):
    """Why a project is closed for a model."""

    MINUTE = "minute"
    DAY = "day"
    NO_QUOTA = "no_quota"


def seconds_to_pacific_midnight(wall: float) -> float:
    """Seconds from a Unix time to the next midnight in Los Angeles, right on days of 23 and 25 hours."""
    here = dt.datetime.fromtimestamp(wall, _PACIFIC)
    midnight = dt.datetime.combine(here.date() + dt.timedelta(days=1), dt.time(), _PACIFIC)
    return midnight.timestamp() - wall


class Cooling:
    """The closure of one (project, model)."""

    __slots__ = ("_config", "_probe_at", "probing", "until", "why")

    def __init__(self, config: PoolConfig) -> None:
        self._config = config
        self._probe_at = 0.0
        self.until = 0.0
        self.why: Closed | None = None
        self.probing = False

    def is_open(self, now: float) -> bool:
        """Whether requests may be sent."""
        return now >= self.until

    def wants_probe(self, now: float) -> bool:
        """Whether one request may be sent in spite of the closure, in case the label lied."""
        return not self.is_open(now) and self.why is not Closed.MINUTE and not self.probing and now >= self._probe_at

    def next_open_at(self, now: float) -> float:
        """When a request may next be sent, in the clock's seconds."""
        if self.is_open(now):
            return now
        return self.until if self.why is Closed.MINUTE else min(self.until, max(now, self._probe_at))

    def refuse(self, outcome: Outcome, now: float, wall: float) -> None:
        """Take in a refusal of the service."""
        config = self._config
        self.probing = False
        if outcome.kind is Kind.NO_QUOTA_HERE:
            self._close(Closed.NO_QUOTA, now + config.closed_probe_s, now + config.closed_probe_s)
        elif outcome.window is Window.DAY:
            self._close(Closed.DAY, now + seconds_to_pacific_midnight(wall), now + config.day_probe_s)
        else:
            wait = outcome.retry_after if outcome.retry_after is not None else config.cooling_default_s
            self._close(Closed.MINUTE, now + wait, 0.0)

    def accept(self) -> None:
        """Take in an answer: whatever closed the project for a day is over."""
        self.probing = False
        self.until = 0.0
        self.why = None

    def restore(self, why: Closed, until: float, probe_at: float) -> None:
        """Take up a closure that began before a restart."""
        self._close(why, until, probe_at)

    @property
    def probe_at(self) -> float:
        """When the next probe of a long closure may go, in the clock's seconds."""
        return self._probe_at

    def _close(self, why: Closed, until: float, probe_at: float) -> None:
        if until >= self.until:
            self.until = until
            self.why = why
        self._probe_at = max(self._probe_at, probe_at)
