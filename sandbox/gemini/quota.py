"""Quota by project and model: requests and input tokens per minute, requests per day of the Pacific time zone.

``QuotaBook`` holds the limits and the use. A minute is the sliding window of the last 60 s; a day runs from midnight
to midnight in America/Los_Angeles, so two days a year last 23 and 25 hours. What always holds: within any 60 s, and
within any Pacific day, no more is admitted than the limit allowed; keys of one project share everything.
A refused request uses nothing up. (Whether the real service counts failed requests against the day is not known.)
The book has no clock: every call says ``now`` in Unix seconds. Saying no in Google's words is ``refusals``' work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_PACIFIC = ZoneInfo("America/Los_Angeles")
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests per minute, input tokens per minute, requests per day; None is no limit."""

    rpm: int | None = 60
    tpm: int | None = 1_000_000
    rpd: int | None = 5_000

    def __post_init__(self) -> None:
        if any(limit is not None and limit < 0 for limit in (self.rpm, self.tpm, self.rpd)):
            raise ValueError("a quota is a number of at least 0, or null for none")


@dataclass(frozen=True, slots=True)
class Excess:
    """Why a request was not admitted: (window, limit) pairs, and seconds until asking again makes sense."""

    broken: tuple[tuple[str, int], ...]
    retry_after: float


@dataclass(slots=True)
class _Use:
    """What one project used of one model."""

    recent: deque[tuple[float, int, int]] = field(default_factory=deque)
    requests: int = 0
    tokens: int = 0
    day: str = ""
    today: int = 0

    def forget_old(self, now: float) -> None:
        while self.recent and self.recent[0][0] <= now - _MINUTE_S:
            _, requests, tokens = self.recent.popleft()
            self.requests -= requests
            self.tokens -= tokens
        day = pacific_day(now)
        if day != self.day:
            self.day, self.today = day, 0

    def add(self, now: float, requests: int, tokens: int) -> None:
        self.recent.append((now, requests, tokens))
        self.requests += requests
        self.tokens += tokens
        self.today += requests

    def wait(self, now: float, requests: int, tokens: int) -> float:
        """Seconds until enough of the window has passed for that many requests and tokens to leave it."""
        for at, old_requests, old_tokens in self.recent:
            requests -= old_requests
            tokens -= old_tokens
            if requests <= 0 and tokens <= 0:
                return at + _MINUTE_S - now
        return _MINUTE_S


def pacific_day(now: float) -> str:
    """The date in America/Los_Angeles, as YYYY-MM-DD."""
    return datetime.fromtimestamp(now, _PACIFIC).date().isoformat()


def next_pacific_midnight(now: float) -> float:
    """The Unix time at which the next Pacific day begins, through both changes of the clocks."""
    tomorrow = datetime.fromtimestamp(now, _PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), _PACIFIC).astimezone(UTC).timestamp()


class QuotaBook:
    """Admits requests while their project has quota for the model."""

    def __init__(self, default: Limits) -> None:
        self._default = default
        self._limits: dict[tuple[str, str | None], Limits] = {}
        self._uses: dict[tuple[str, str], _Use] = {}

    def set(self, project: str, model: str | None, limits: Limits) -> None:
        """Set a project's limits for one model, or (model None) for all that have none of their own."""
        self._limits[project, model] = limits

    def limits(self, project: str, model: str) -> Limits:
        """The limits that hold for a project and a model."""
        for_project = self._limits.get((project, None), self._default)
        return self._limits.get((project, model), for_project)

    def admit(self, project: str, model: str, *, tokens: int, now: float, requests: int = 1) -> Excess | None:
        """Take one request's quota, or say why there is none; a refused request takes nothing."""
        limits, use = self.limits(project, model), self._use(project, model)
        use.forget_old(now)
        over_requests = _over(use.requests + requests, limits.rpm)
        over_tokens = _over(use.tokens + tokens, limits.tpm)
        over_day = _over(use.today + requests, limits.rpd)
        if not (over_requests or over_tokens or over_day):
            use.add(now, requests, tokens)
            return None
        excesses = (
            ("rpm", limits.rpm, over_requests),
            ("tpm", limits.tpm, over_tokens),
            ("rpd", limits.rpd, over_day),
        )
        broken = tuple((name, limit) for name, limit, over in excesses if over and limit is not None)
        # The service names a short wait for a spent day too; obeying it there is the client's mistake to avoid.
        wait = use.wait(now, over_requests, over_tokens) if over_requests or over_tokens else _to_next_minute(now)
        return Excess(broken, wait)

    def used(self, now: float) -> dict[str, dict[str, Mapping[str, int | None]]]:
        """What every project used of every model it asked: project -> model -> figures with their limits."""
        report: dict[str, dict[str, Mapping[str, int | None]]] = {}
        for (project, model), use in self._uses.items():
            use.forget_old(now)
            limits = self.limits(project, model)
            report.setdefault(project, {})[model] = {
                "requests_minute": use.requests,
                "tokens_minute": use.tokens,
                "requests_day": use.today,
                "rpm": limits.rpm,
                "tpm": limits.tpm,
                "rpd": limits.rpd,
            }
        return report

    def clear(self) -> None:
        """Forget every use and every limit that was set."""
        self._uses.clear()
        self._limits.clear()

    def _use(self, project: str, model: str) -> _Use:
        return self._uses.setdefault((project, model), _Use())


def _over(total: int, limit: int | None) -> int:
    return 0 if limit is None else max(0, total - limit)


def _to_next_minute(now: float) -> float:
    return _MINUTE_S - now % _MINUTE_S
