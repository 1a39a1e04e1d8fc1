"""The scenarios, with the goals our pool is held to.

Quota scenarios: 15 requests a minute of every project, 127.5 s of users who wait 60 s. Others: no quota, users who
wait 30 s, the pool's own deadline for text. An answer takes 1 s throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.service import figures
from benchmarks.service.scenario import Figure, Goal, Scenario

_RPM = 15
_QUOTA_SECONDS = 127.5
_USER_WAITS_S = 60.0
_OUTAGE = (20.0, 120.0)
_BAD_START_S = 15.0
_SICK_KEYS = 10
_LEAK_AT_S = 60.0

_SERVED = Figure("users served", figures.served_percent, unit=" %", digits=1)
_P95 = Figure("p95", figures.latency_s(0.95), unit=" s", digits=2)
_LATENESS = Figure("lateness of the load, p99", figures.lateness_s, unit=" s", digits=2)


def _served(bound: float, digits: int = 1) -> Figure:
    return Figure("users served", figures.served_percent, Goal(">=", bound), unit=" %", digits=digits)


def _refused(goal: Goal) -> Figure:
    return Figure("calls refused", figures.refused_calls, goal)


def _told(scenario: Scenario, title: str, *, figures: Sequence[Figure]) -> Scenario:
    """The same scenario for clients that know the limits, held to other goals."""
    return replace(
        scenario,
        name=f"{scenario.name}-told",
        title=title,
        text=f"The same, and the clients that can be told are told the projects and {_RPM} requests a minute.",
        told=True,
        figures=figures,
    )


_HEALTHY = Scenario(
    name="healthy",
    title="Ten healthy keys",
    text="4 users a second over ten healthy keys: the measure for the next, and for what the speed of time adds.",
    keys=_SICK_KEYS,
    projects=_SICK_KEYS,
    users=480,
    seconds=120,
    figures=(
        _P95,
        Figure("p99", figures.latency_s(0.99), unit=" s", digits=2),
        _SERVED,
        _LATENESS,
    ),
)

_SICK = replace(
    _HEALTHY,
    name="sick-keys",
    title="Ten keys, six of them sick",
    text=(
        "4 users a second; one key invalid, one leaked after 60 s, two answering 503 to every second call, one twenty "
        "times slower, one hanging for ever."
    ),
    faults=(
        {"kind": "invalid", "keys": ["key-0"]},
        {"kind": "leaked", "keys": ["key-1"], "from": _LEAK_AT_S},
        {"kind": "503", "keys": ["key-2", "key-3"], "probability": 0.5},
        {"kind": "slow", "keys": ["key-4"], "factor": 20},
        {"kind": "hang", "keys": ["key-5"]},
    ),
    figures=(
        Figure("p95 over healthy p95", figures.times_healthy(0.95), Goal("<=", 1.2), digits=2),
        Figure("p99 over healthy p99", figures.times_healthy(0.99), Goal("<=", 4), digits=1),
        _served(100),
        Figure("calls to the invalid key", figures.calls_with("invalid"), Goal("=", 1)),
        Figure("calls to the leaked key", figures.calls_with("leaked"), Goal("=", 1)),
        Figure("calls per user", figures.calls_per_user, digits=2),
        _LATENESS,
    ),
    healthy="healthy",
)

_TWICE = Scenario(
    name="twice-the-quota",
    title="Twice the quota",
    text="510 users for 8 projects of 15 requests a minute; nobody is told the limits; users leave after 60 s.",
    keys=8,
    projects=8,
    rpm=_RPM,
    users=510,
    seconds=_QUOTA_SECONDS,
    patience_s=_USER_WAITS_S,
    figures=(
        Figure("avoidable errors", figures.avoidable_errors, Goal("<=", 2)),
        Figure("refused calls per user served", figures.refused_per_served, Goal("<=", 0.03), digits=2),
        Figure("who is not served hears it within (p95)", figures.bad_news_s(0.95), Goal("<=", 1), unit=" s", digits=1),
        Figure("... the last of them", figures.bad_news_s(1.0), unit=" s", digits=1),
        _SERVED,
        _LATENESS,
    ),
)

_NO_ERRORS = Figure("errors", figures.errors, Goal("=", 0))
_MOST = replace(
    _TWICE,
    name="most-of-the-quota",
    title="80 % of the quota, limits untold",
    text="204 users, in groups of 6, for 8 projects of 15 requests a minute; nobody is told the limits.",
    group=6,
    users=204,
    figures=(_NO_ERRORS, _refused(Goal("<=", 10)), _P95, _LATENESS),
)
_MOST_TOLD = _told(
    _MOST, "80 % of the quota, limits told", figures=(_NO_ERRORS, _refused(Goal("=", 0)), _P95, _LATENESS)
)

_REFUSED_PER_SERVED = Figure("refused calls per user served", figures.refused_per_served, digits=2)
_AVOIDABLE = Figure("avoidable errors", figures.avoidable_errors)
_SHARED = replace(
    _TWICE,
    name="shared-projects",
    title="Eight keys in two projects, untold",
    text="128 users, twice the quota of two projects of 15 requests a minute with four keys each; nobody is told.",
    projects=2,
    users=128,
    figures=(
        _REFUSED_PER_SERVED,
        Figure("most refused calls of a key", figures.most_refused_of_a_key, Goal("<=", 1)),
        _AVOIDABLE,
        _SERVED,
        _LATENESS,
    ),
)
_SHARED_TOLD = _told(
    _SHARED,
    "Eight keys in two projects, told",
    figures=(_REFUSED_PER_SERVED, _refused(Goal("=", 0)), _AVOIDABLE, _SERVED, _LATENESS),
)

_ALL_OUT = Scenario(
    name="outage",
    title="Every key 503 for 100 s",
    text="4 users a second; from second 20 to 120 every key answers 503.",
    keys=8,
    projects=8,
    users=720,
    seconds=180,
    faults=({"kind": "503", "from": _OUTAGE[0], "to": _OUTAGE[1]},),
    figures=(
        Figure("calls per user in the outage", figures.calls_per_user_between(*_OUTAGE), Goal("<=", 0.25), digits=2),
        Figure("99 % served again after", figures.recovery_s(_OUTAGE[1]), Goal("<=", 3), unit=" s", digits=1),
        Figure(
            "users of its last 30 s served",
            figures.served_between_percent(_OUTAGE[1] - 30, _OUTAGE[1]),
            Goal(">=", 65),
            unit=" %",
        ),
        Figure("peak after, over offered", figures.peak_times_offered(_OUTAGE[1]), Goal("<=", 3), digits=1),
        _LATENESS,
    ),
)

_RANDOM = replace(
    _ALL_OUT,
    name="random-503",
    title="30 % random 503",
    text="4 users a second, every call answered 503 with a chance of 30 %; the mean of five seeds.",
    users=480,
    seconds=120,
    faults=({"kind": "503", "probability": 0.3},),
    seeds=(1, 2, 3, 4, 5),
    figures=(
        _served(99.9, digits=2),
        Figure("calls per user", figures.calls_per_user, Goal("<=", 1.45), digits=3),
        _P95,
        _LATENESS,
    ),
)

_BAD_START = replace(
    _RANDOM,
    name="bad-start",
    title="503 on everything for the first 15 s",
    text="4 users a second; for the first 15 s every key answers 503, then all is well.",
    faults=({"kind": "503", "to": _BAD_START_S},),
    seeds=_ALL_OUT.seeds,
    figures=(
        _served(100),
        Figure("keys in use after", figures.keys_in_use(_BAD_START_S), Goal("=", 8)),
        Figure("least used over most used", figures.least_to_most_used(_BAD_START_S), Goal(">=", 0.9), digits=2),
        _P95,
        _LATENESS,
    ),
)

#: In the order they are run and shown; a healthy one before those that need it.
SCENARIOS: tuple[Scenario, ...] = (
    _HEALTHY,
    _SICK,
    _TWICE,
    _MOST,
    _MOST_TOLD,
    _SHARED,
    _SHARED_TOLD,
    _ALL_OUT,
    _RANDOM,
    _BAD_START,
)
BY_NAME: Mapping[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}
