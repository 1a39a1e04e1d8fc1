"""Quota of one (project, model): how long it is closed, and how much it may send in a minute.

The service's limits belong to the project, not to the key (https://ai.google.dev/gemini-api/docs/rate-limits), so a
refusal closes the project for the model and is no fault of the key. ``Cooling`` is such a closure; ``MinuteWindow``
keeps a known limit from being run into: declared by the operator, or learned from a refusal that names it.
What always holds: a later, shorter wait never shortens a longer one. A daily limit ends at midnight in
America/Los_Angeles and gets one probe an hour, because a limit named "per day" has been seen to end sooner; a project
without any quota for the model gets one probe a day. A learned limit is believed for a day, since limits are raised.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
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


class MinuteWindow:
    """The requests of one (project, model) in the last minute, against the limit that is known of it."""

    __slots__ = ("_believe_s", "_declared", "_learned", "_length_s", "_starts", "learned_until")

    def __init__(self, config: PoolConfig) -> None:
        self._length_s = config.minute_s + config.minute_margin_s
        self._believe_s = config.believe_limit_s
        self._starts: deque[float] = deque()
        self._declared = config.requests_per_minute or None
        self._learned: int | None = None
        self.learned_until = 0.0

    def learned(self, now: float) -> int | None:
        """The limit that the service named within the last day, or None."""
        return self._learned if now < self.learned_until else None

    def limit(self, now: float) -> int | None:
        """Requests per minute, as far as known; what the service said outranks what was declared."""
        return self.learned(now) or self._declared

    def has_room(self, now: float) -> bool:
        """Whether a request that starts now keeps within the limit."""
        limit = self.limit(now)
        return limit is None or len(self._current(now)) < limit

    def next_room_at(self, now: float) -> float:
        """When the next request keeps within the limit (the clock's seconds)."""
        limit = self.limit(now)
        starts = self._current(now)
        if limit is None or len(starts) < limit:
            return now
        return starts[len(starts) - limit] + self._length_s

    def start(self, now: float) -> None:
        """Count the start of a request; a cancelled one keeps its place, because the service has counted it."""
        self._current(now).append(now)

    def give_back(self, started_at: float) -> None:
        """Take back the place of a request that was refused or never sent."""
        if started_at in self._starts:
            self._starts.remove(started_at)

    def learn(self, limit: int, now: float) -> None:
        """Take over the limit that the service named; a limit of 0 is no window but a closure."""
        self.restore(limit, now + self._believe_s)

    def restore(self, limit: int, until: float) -> None:
        """Take up a limit that was learned before a restart."""
        if limit > 0:
            self._learned, self.learned_until = limit, until

    def _current(self, now: float) -> deque[float]:
        while self._starts and self._starts[0] + self._length_s <= now:
            self._starts.popleft()
        return self._starts
