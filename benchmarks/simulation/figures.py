"""What is measured in a run, and the figures made of it.

A ``Recorder`` takes in what happens (asked, began, ended, served, samples of the pool) and gives figures by
name: ``figures()`` answers a number for every name in ``FIGURES``, infinity for something that never came, NaN where
the scenario has nothing of the kind (the share of a healed key where no key heals). ``docs/simulation.md`` says what
every figure means to a reader.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter

from benchmarks.simulation import outages
from benchmarks.simulation.ideal import most_served
from benchmarks.simulation.scenario import Scenario
from benchmarks.simulation.timeline import Timeline, timeline
from utils.gemini_pool.policy import Kind, PoolConfig
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.rotation import is_healthy

#: A healed key's share is measured over this long from the moment it is back.
_SHARE_OVER_S = 600.0
_NOT_WASTED = frozenset({Kind.OK, Kind.CALLER, Kind.CANCELLED})
_REFUSALS = frozenset({Kind.QUOTA, Kind.NO_QUOTA_HERE})

#: Every figure with the head of its column.
FIGURES = {
    "availability": "served %",
    "errors": "errors",
    "avoidable": "avoidable",
    "refused_after_s": "refused after s",
    "calls_per_served": "calls / served",
    "calls_per_asked": "calls / asked",
    "refused_per_served": "429 / served",
    "wasted": "wasted",
    "wasted_ill": "on ill keys",
    "waste_to_equal": "of equal share's",
    "wait_p50": "p50 s",
    "wait_p95": "p95 s",
    "wait_p99": "p99 s",
    "line_p95": "in line p95 s",
    "peak_calls": "peak calls/s",
    "share_least": "least %",
    "share_most": "most %",
    "share_even": "least / most",
    "calls_most": "most calls on a key",
    "flagged": "flagged %",
    "healed_back_s": "healed back s",
    "healed_share_off": "healed share off",
    "outage_calls": "calls / request in outage",
    "first_success_s": "first success s",
    "available_after": "served after %",
    "available_soon": "served soon after %",
    "last_served": "served of its last 30 s %",
    "peak_after": "peak after, of usual",
    "refused_429": "429",
    "state_changes": "state changes",
    "user_least": "least user %",
    "asked": "asked",
}
#: Figures that are shown only where a goal names them.
ONLY_AS_GOAL = frozenset(
    {
        "available_soon",
        "calls_most",
        "calls_per_asked",
        "errors",
        "last_served",
        "line_p95",
        "peak_after",
        "refused_429",
        "share_even",
        "state_changes",
        "user_least",
    }
)


class Recorder:
    """Everything that is kept of one run; times are kept as bare numbers, since a run may have a million of each."""

    def __init__(self, scenario: Scenario, config: PoolConfig) -> None:
        self._scenario = scenario
        self._config = config
        self._ill = scenario.ill_keys()
        self._window = scenario.fault_window()
        #: When each call began, and with which key (from 1).
        self._began_at, self._began_with = array("d"), array("l")
        self._asked, self._begin_by = array("d"), array("d")
        #: Whether there are quota places by the minute alone, so that it is known how many could be served at best.
        self._has_places = scenario.service.requests_per_minute > 0 and not scenario.service.requests_per_day
        self._refused_after_s = 0.0
        self._asked_by, self._served_by = array("l"), array("l")
        #: When each answered request was asked, and when it was answered.
        self._served_of, self._served_at = array("d"), array("d")
        #: When each call ended, and how; when each question ended without an answer.
        self._ended_at, self._ended_as = array("d"), list[Kind]()
        self._gone = array("d")
        self._wasted_ill = 0
        self._lines = array("d")
        self._equal_waste = 0.0
        self._healed_back_at: float | None = None
        self._flagged = 0
        self._samples = 0
        self._state_changes = 0

    def asked(self, now: float, user: int, patience_s: float, *, caller_fault: bool) -> None:
        """A question arrived; one that is the caller's own mistake counts nowhere."""
        if not caller_fault:
            self._asked.append(now)
            if self._has_places:
                self._begin_by.append(now + min(patience_s, self._scenario.deadline_s) - self._config.usual_p97_s)
            self._asked_by.append(user)

    def began(self, now: float, key: int, equal_waste: float, *, waited_s: float | None) -> None:
        """A call to a key (from 1) began; ``equal_waste``: its chance to fail if keys were drawn equally.

        ``waited_s``: how long its request had waited for it, None when it is not the first of its request.
        """
        self._began_at.append(now)
        self._began_with.append(key)
        if waited_s is not None:
            self._lines.append(waited_s)
        self._equal_waste += equal_waste

    def ended(self, key: int, began: float, now: float, kind: Kind) -> None:
        """A call ended."""
        self._ended_at.append(now)
        self._ended_as.append(kind)
        if not self._ill:
            return
        if kind not in _NOT_WASTED and self._is_ill(key, began):
            self._wasted_ill += 1
        healed_at = self._window[1] if self._window else math.inf
        if kind is Kind.OK and key in self._ill and began >= healed_at and self._healed_back_at is None:
            self._healed_back_at = now

    def served(self, asked_at: float, now: float, user: int) -> None:
        """A question was answered."""
        self._served_of.append(asked_at)
        self._served_at.append(now)
        self._served_by.append(user)

    def gone(self, now: float, *, caller_fault: bool) -> None:
        """A question ended without an answer: it was refused, or its user left."""
        if not caller_fault:
            self._gone.append(now)

    def refused(self, asked_at: float, now: float) -> None:
        """A question was refused that no call was ever begun for."""
        self._refused_after_s = max(self._refused_after_s, now - asked_at)

    def sample(self, pool: ModelPool, config: PoolConfig, now: float) -> None:
        """Look at the pool as the rotation would."""
        self._samples += 1
        self._flagged += any(not is_healthy(pool, lane, config, now) for lane in pool.lanes)

    def finish(self, pool: ModelPool, now: float) -> None:
        """Look at the pool when everything is over."""
        in_flight = sum(lane.in_flight for lane in pool.lanes)
        if in_flight or any(slot.in_flight for slot in pool.instances.slots):
            raise RuntimeError(f"{in_flight} calls are still in flight at the end")
        gates = sum(
            lane.gate.version + (lane.key.dead is not None) + (lane.rate.faults(now) > 0) for lane in pool.lanes
        )
        closures = sum(project.quota.until > 0 for project in pool.projects)
        self._state_changes = gates + closures + pool.breaker.is_open

    def timeline(self) -> Timeline:
        """Give what happened when."""
        ended = list(zip(self._ended_at, self._ended_as, strict=True))
        return timeline(self._asked, self._served_at, self._gone, ended)

    def figures(self) -> dict[str, float]:
        """Give every figure of ``FIGURES``."""
        asked, served, calls = len(self._asked), len(self._served_at), len(self._began_at)
        answers = list(zip(self._served_of, self._served_at, strict=True))
        kinds = Counter(self._ended_as)
        wasted = sum(count for kind, count in kinds.items() if kind not in _NOT_WASTED)
        refusals = sum(kinds[kind] for kind in _REFUSALS)
        waits = sorted(at - asked_at for asked_at, at in answers)
        by_key = Counter(self._began_with)
        shares = [_percent(by_key[key + 1], calls) for key in range(len(self._scenario.projects))]
        values: dict[str, float] = {
            "availability": _percent(served, asked),
            "errors": asked - served,
            "avoidable": self._avoidable(),
            "refused_after_s": self._refused_after_s if asked > served else math.nan,
            "calls_per_served": _ratio(calls, served),
            "calls_per_asked": _ratio(calls, asked),
            "refused_per_served": _ratio(refusals, served),
            "wasted": wasted,
            "wasted_ill": self._wasted_ill if self._ill else math.nan,
            "waste_to_equal": self._wasted_ill / self._equal_waste if self._ill and self._equal_waste else math.nan,
            "wait_p50": _quantile(waits, 0.50),
            "wait_p95": _quantile(waits, 0.95),
            "wait_p99": _quantile(waits, 0.99),
            "line_p95": _quantile(sorted(self._lines), 0.95),
            "peak_calls": max(Counter(map(int, self._began_at)).values(), default=0),
            "share_least": min(shares),
            "share_most": max(shares),
            "share_even": _ratio(min(shares), max(shares)),
            "calls_most": max(by_key.values(), default=0),
            "flagged": _percent(self._flagged, self._samples),
            "refused_429": refusals,
            "state_changes": self._state_changes,
            "user_least": self._least_user(),
            "asked": asked,
        }
        everybody = None if self._ill else self._window
        return values | self._healing() | outages.figures(everybody, self._asked, self._began_at, answers)

    def _avoidable(self) -> float:
        """How many more requests could have been tried in quota places that stayed unused in time for them."""
        service, config = self._scenario.service, self._config
        if not self._has_places:
            return math.nan
        places = service.requests_per_minute * len(set(self._scenario.projects))
        possible = most_served(
            zip(self._asked, self._begin_by, strict=True), places, config.minute_s + config.minute_margin_s
        )
        # of every request that was tried it is known how long it had waited
        return max(0, possible - len(self._lines))

    def _is_ill(self, key: int, now: float) -> bool:
        return any(key in fault.keys and fault.strikes(key, now) for fault in self._scenario.faults)

    def _least_user(self) -> float:
        served = Counter(self._served_by)
        return min((_percent(served[user], count) for user, count in Counter(self._asked_by).items()), default=100.0)

    def _healing(self) -> dict[str, float]:
        """How soon a key that was ill for a time is back, and how far its share is from the fair one (in points)."""
        if self._window is None or not self._ill or math.isinf(self._window[1]):
            return {"healed_back_s": math.nan, "healed_share_off": math.nan}
        back = self._healed_back_at
        if back is None:
            return {"healed_back_s": math.inf, "healed_share_off": math.inf}
        began = zip(self._began_at, self._began_with, strict=True)
        keys = [key for at, key in began if back <= at < back + _SHARE_OVER_S]
        share = _percent(sum(key in self._ill for key in keys), len(keys))
        fair = _percent(len(self._ill), len(self._scenario.projects))
        return {"healed_back_s": back - self._window[1], "healed_share_off": abs(share - fair)}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.inf


def _percent(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole else 100.0


def _quantile(ordered: list[float], share: float) -> float:
    if not ordered:
        return math.inf
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
