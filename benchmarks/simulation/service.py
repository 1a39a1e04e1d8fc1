"""A model of the service: what happens to one call, decided when it begins.

``Service.answer`` gives how long a call takes and its ``Outcome``, made by the pool's own ``classify`` from the words
the real service uses. What always holds: in any 60 s, and on any Pacific day, a project is admitted no more calls than
its limit; a refused call takes no place; all chance comes from the one seeded generator given to the constructor.
Latency is log-normal; refusals come after a short time; a call that hangs ends when the caller's limit ends it.
"""

from __future__ import annotations

import bisect
import datetime as dt
import math
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from benchmarks.simulation.scenario import Fault, Scenario, Trouble
from utils.gemini_pool.policy import Call, Failure, Kind, Outcome, classify

_PACIFIC = ZoneInfo("America/Los_Angeles")
_MINUTE_S = 60.0
_FAILURES: Mapping[Trouble, Failure] = {
    Trouble.DEAD: Failure(
        http_status=400,
        status="INVALID_ARGUMENT",
        message="API key not valid. Please pass a valid API key.",
        details=({"reason": "API_KEY_INVALID"},),
    ),
    Trouble.LEAKED: Failure(
        http_status=403,
        status="PERMISSION_DENIED",
        message="Your API key was reported as leaked. Please use another API key.",
    ),
    Trouble.OVERLOADED: Failure(
        http_status=503, status="UNAVAILABLE", message="The model is overloaded. Please try again later."
    ),
    Trouble.ERROR: Failure(http_status=500, status="INTERNAL", message="An internal error has occurred."),
}
_CALLER = Failure(http_status=400, status="INVALID_ARGUMENT", message="Request contains an invalid argument.")
TIMED_OUT = classify(Failure(transport="timeout"))


def _answered(first_s: float | None = None) -> Outcome:
    return Outcome(Kind.OK, input_tokens=100, output_tokens=200, first_s=first_s)


_OK = _answered()


class Reply(NamedTuple):
    """What a call comes to: seconds until it ends, and how; ``first_s``: seconds until it would begin to answer."""

    seconds: float
    outcome: Outcome
    first_s: float = 0.0


class ProjectQuota:
    """One project's admitted calls: a sliding minute and a Pacific day."""

    def __init__(self, per_minute: int, per_day: int) -> None:
        self._per_minute = per_minute
        self._per_day = per_day
        self._admitted: list[float] = []
        self._day: dt.date | None = None
        self._today = 0

    def refusal(self, now: float, wall: float) -> Failure | None:
        """Admit a call that arrives now, or say why not."""
        today = dt.datetime.fromtimestamp(wall, _PACIFIC).date()
        if today != self._day:
            self._day, self._today = today, 0
        del self._admitted[: bisect.bisect_right(self._admitted, now - _MINUTE_S)]
        if self._per_day and self._today >= self._per_day:
            # the service names a short wait for a spent day, too
            return _quota("GenerateRequestsPerDayPerProjectPerModel", self._per_day, 60.0 - wall % 60.0)
        if self._per_minute and len(self._admitted) >= self._per_minute:
            wait = self._admitted[-self._per_minute] + _MINUTE_S - now
            return _quota("GenerateRequestsPerMinutePerProjectPerModel", self._per_minute, wait)
        # calls under way overtake each other by parts of a second
        bisect.insort(self._admitted, now)
        self._today += 1
        return None


def _quota(quota_id: str, limit: int, wait: float) -> Failure:
    return Failure(
        http_status=429,
        status="RESOURCE_EXHAUSTED",
        # the service tells the wait to the nanosecond in words, and rounded in its details
        message=f"You exceeded your current quota, please check your plan. Please retry in {max(0.0, wait):.9f}s.",
        details=(
            {"violations": [{"quotaId": quota_id, "quotaValue": str(limit)}]},
            {"retryDelay": f"{max(0, round(wait))}s"},
        ),
    )


class Service:
    """Answers calls as a scenario says."""

    def __init__(self, scenario: Scenario, rng: random.Random, wall_start: float) -> None:
        self._scenario = scenario
        self._facts = scenario.service
        self._rng = rng
        self._wall_start = wall_start
        self._wastes: dict[tuple[Fault, ...], float] = {}
        self._usual_log = math.log(self._facts.latency_median_s)
        self._arrivals_per_s = 1.0 / self._facts.network_s
        self._has_quotas = bool(self._facts.requests_per_minute or self._facts.requests_per_day)
        quotas = {
            name: ProjectQuota(self._facts.requests_per_minute, self._facts.requests_per_day)
            for name in scenario.projects
        }
        #: By position of the key.
        self._quotas = [quotas[name] for name in scenario.projects]

    def answer(self, call: Call, now: float, *, remaining_s: float, caller_fault: bool) -> Reply:
        """Say what a call that begins now comes to; ``remaining_s``: until the request's deadline cuts it."""
        number = call.lease.lane.key.position + 1
        faults = self._faults(number, now) if self._scenario.faults else ()
        struck = next((fault for fault in faults if self._befalls(fault)), None) if faults else None
        failure = self._failure(struck, number, now, caller_fault=caller_fault)
        if failure is not None:
            return Reply(self._facts.refusal_s * self._rng.uniform(0.5, 1.5), classify(failure))
        takes = self._rng.lognormvariate(self._usual_log, self._facts.latency_sigma)
        if faults:
            takes *= math.prod(fault.factor for fault in faults if fault.kind is Trouble.SLOW)
        if struck is not None and struck.kind is Trouble.HANG:
            takes = math.inf
        return _cut(takes, call, remaining_s, self._facts.first_byte_share)

    def _faults(self, number: int, now: float) -> Sequence[Fault]:
        return [fault for fault in self._scenario.faults if fault.strikes(number, now)]

    def equal_waste(self, now: float) -> float:
        """The chance that a call begun now fails if every key draws an equal share."""
        if not self._scenario.faults:
            return 0.0
        active = tuple(fault for fault in self._scenario.faults if fault.from_s <= now < fault.until_s)
        if active not in self._wastes:
            keys = len(self._scenario.projects)
            self._wastes[active] = sum(self._chance(number, now) for number in range(1, keys + 1)) / keys
        return self._wastes[active]

    def _chance(self, number: int, now: float) -> float:
        good = 1.0
        for fault in self._scenario.faults:
            if fault.kind is not Trouble.SLOW and fault.strikes(number, now):
                good *= 1.0 - fault.share
        return 1.0 - good

    def _befalls(self, fault: Fault) -> bool:
        return fault.kind is not Trouble.SLOW and self._rng.random() < fault.share

    def _failure(self, struck: Fault | None, number: int, now: float, *, caller_fault: bool) -> Failure | None:
        if struck is not None and struck.kind in _FAILURES:
            return _FAILURES[struck.kind]
        if caller_fault:
            return _CALLER
        arrives = now + self._rng.expovariate(self._arrivals_per_s)
        if not self._has_quotas:
            return None
        return self._quotas[number - 1].refusal(arrives, self._wall_start + arrives)


def _cut(takes: float, call: Call, remaining_s: float, first_byte_share: float) -> Reply:
    """End a call that exceeds its limits; asked for as a whole, an answer's first byte is its last."""
    first = takes * first_byte_share if call.stream_inside else takes
    most = min(call.limits.first_byte_s, remaining_s)
    if first > most:
        return Reply(most, TIMED_OUT, first)
    if takes > remaining_s:
        return Reply(remaining_s, TIMED_OUT, first)
    return Reply(takes, _answered(first) if call.stream_inside else _OK, first)
