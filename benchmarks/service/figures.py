"""What is measured of a run: pure functions from a ``Run`` to a number, seconds in scenario time, shares in percent.

A figure that has nothing to stand on (a percentile of nobody) is NaN. Which scenario shows which of them, and with
what goal, is ``scenarios``' business.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks.service.best import most_served
from benchmarks.service.scenario import Call, Run

#: Outcomes of the emulator's diary that are a refusal for quota.
QUOTA = frozenset({"429", "429tokens", "429day"})
_PEAK_WINDOW_S = 5.0
_AFTERMATH_S = 30.0
_ALMOST_ALL = 0.99


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of the values do not exceed; NaN of none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def served_percent(run: Run) -> float:
    """Users who got their answer, of 100."""
    return 100 * statistics.fmean(user.served for user in run.users) if run.users else math.nan


def errors(run: Run) -> float:
    """Users without an answer."""
    return sum(not user.served for user in run.users)


def avoidable_errors(run: Run) -> float:
    """Users without an answer beyond those whom nobody could have served under the quota."""
    scenario = run.scenario
    best = most_served(
        [user.at for user in run.users],
        places=scenario.projects * (scenario.rpm or len(run.users)),
        latency_s=scenario.latency_s,
        patience_s=scenario.patience_s,
    )
    return max(0, best - sum(user.served for user in run.users))


def refused_calls(run: Run) -> float:
    """Calls that the service refused for quota."""
    return sum(call.outcome in QUOTA for call in run.calls)


def refused_per_served(run: Run) -> float:
    """Calls refused for quota for every user served."""
    served = sum(user.served for user in run.users)
    return refused_calls(run) / served if served else math.nan


def most_refused_of_a_key(run: Run) -> float:
    """Calls refused for quota of the key that had most of them."""
    return max(Counter(call.key for call in run.calls if call.outcome in QUOTA).values(), default=0)


def bad_news_s(share: float) -> Callable[[Run], float]:
    """Seconds within which that share of the users without an answer heard of it (0 when all were served)."""

    def of(run: Run) -> float:
        waits = [user.seconds for user in run.users if not user.served]
        return percentile(waits, share) if waits else 0.0

    return of


def calls_per_user(run: Run) -> float:
    """Calls to the service for every user."""
    return len(run.calls) / len(run.users) if run.users else math.nan


def latency_s(share: float) -> Callable[[Run], float]:
    """Seconds within which that share of the users served had the answer."""
    return lambda run: percentile([user.seconds for user in run.users if user.served], share)


def times_healthy(share: float) -> Callable[[Run], float]:
    """That percentile of seconds, over the same client's with healthy keys."""
    measure = latency_s(share)
    return lambda run: measure(run) / measure(run.healthy) if run.healthy else math.nan


def lateness_s(run: Run) -> float:
    """How late the load itself was for 99 of 100 users: what a busy machine adds to every figure of time."""
    return percentile([user.late_s for user in run.users], _ALMOST_ALL)


def calls_with(outcome: str) -> Callable[[Run], float]:
    """Calls that ended so."""
    return lambda run: sum(call.outcome == outcome for call in run.calls)


def calls_per_user_between(start: float, end: float) -> Callable[[Run], float]:
    """Calls within that time for every user who came in it."""

    def of(run: Run) -> float:
        users = sum(start <= user.at < end for user in run.users)
        return len(_between(run.calls, start, end)) / users if users else math.nan

    return of


def served_between_percent(start: float, end: float) -> Callable[[Run], float]:
    """Of the users who came within that time, those served, of 100."""

    def of(run: Run) -> float:
        fates = [user.served for user in run.users if start <= user.at < end]
        return 100 * statistics.fmean(fates) if fates else math.nan

    return of


def recovery_s(end: float) -> Callable[[Run], float]:
    """Seconds after ``end`` from which on 99 of 100 of all later users are served; infinite if that never comes."""

    def of(run: Run) -> float:
        after = sorted((user.at, user.served) for user in run.users if user.at >= end)
        lost = 0
        recovered_at = math.inf
        for number, (at, served) in enumerate(reversed(after), start=1):
            lost += not served
            if lost <= (1 - _ALMOST_ALL) * number:
                recovered_at = at
        return recovered_at - end

    return of


def peak_times_offered(end: float) -> Callable[[Run], float]:
    """The most calls in any 5 s of the 30 s after ``end``, over what users ask in 5 s."""

    def of(run: Run) -> float:
        times = [call.at for call in _between(run.calls, end, end + _AFTERMATH_S)]
        most = max((sum(at <= other < at + _PEAK_WINDOW_S for other in times) for at in times), default=0)
        return most / (run.scenario.users_per_s * _PEAK_WINDOW_S)

    return of


def keys_in_use(start: float) -> Callable[[Run], float]:
    """Keys that served a call after that time."""
    return lambda run: len(_served_by_key(run, start))


def least_to_most_used(start: float) -> Callable[[Run], float]:
    """Calls served after that time by the least used key over those by the most used."""

    def of(run: Run) -> float:
        counts = _served_by_key(run, start)
        return min(counts.values()) / max(counts.values()) if len(counts) == run.scenario.keys else 0.0

    return of


def _served_by_key(run: Run, start: float) -> Counter[str]:
    return Counter(call.key for call in run.calls if call.outcome == "ok" and call.at >= start)


def _between(calls: Sequence[Call], start: float, end: float) -> list[Call]:
    return [call for call in calls if start <= call.at < end]
