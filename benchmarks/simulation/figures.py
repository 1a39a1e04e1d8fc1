"""What is measured in a run, and the figures made of it.

A ``Recorder`` takes in what happens (asked, began, ended, served, samples of the pool) and gives figures by
name: ``figures()`` answers a number for every name in ``FIGURES``, infinity for something that never came, NaN where
the scenario has nothing of the kind (the share of a healed key where no key heals). ``docs/simulation.md`` says what
every figure means to a reader.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from benchmarks.simulation.scenario import Scenario
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
    "calls_per_served": "calls / served",
    "refused_per_served": "429 / served",
    "wasted": "wasted",
    "wasted_ill": "on ill keys",
    "waste_to_equal": "of equal share's",
    "wait_p50": "p50 s",
    "wait_p95": "p95 s",
    "wait_p99": "p99 s",
    "peak_calls": "peak calls/s",
    "share_least": "least %",
    "share_most": "most %",
    "calls_most": "most calls on a key",
    "flagged": "flagged %",
    "healed_back_s": "healed back s",
    "healed_share_off": "healed share off",
    "outage_calls": "calls / request in outage",
    "first_success_s": "first success s",
    "available_after": "served after %",
    "refused_429": "429",
    "state_changes": "state changes",
    "user_least": "least user %",
    "asked": "asked",
}
#: Figures that are shown only where a goal names them.
ONLY_AS_GOAL = frozenset({"calls_most", "state_changes", "user_least", "refused_429"})


@dataclass(frozen=True, slots=True)
class Served:
    """An answered request."""

    asked_at: float
    at: float
    user: int


class Recorder:
    """Everything that is kept of one run."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._ill = scenario.ill_keys()
        self._window = scenario.fault_window()
        self._began: list[tuple[float, int]] = []
        self._asked: list[float] = []
        self._asked_by: Counter[int] = Counter()
        self._served: list[Served] = []
        self._served_by: Counter[int] = Counter()
        self._kinds: Counter[Kind] = Counter()
        self._wasted_ill = 0
        self._equal_waste = 0.0
        self._healed_back_at: float | None = None
        self._flagged = 0
        self._samples = 0
        self._state_changes = 0

    def asked(self, now: float, user: int, *, caller_fault: bool) -> None:
        """A question arrived; one that is the caller's own mistake counts nowhere."""
        if not caller_fault:
            self._asked.append(now)
            self._asked_by[user] += 1

    def began(self, now: float, key: int, equal_waste: float) -> None:
        """A call to a key (from 1) began; ``equal_waste``: its chance to fail if keys were drawn equally."""
        self._began.append((now, key))
        self._equal_waste += equal_waste

    def ended(self, key: int, began: float, now: float, kind: Kind) -> None:
        """A call ended."""
        self._kinds[kind] += 1
        if kind not in _NOT_WASTED and self._is_ill(key, began):
            self._wasted_ill += 1
        healed_at = self._window[1] if self._window else math.inf
        if kind is Kind.OK and key in self._ill and began >= healed_at and self._healed_back_at is None:
            self._healed_back_at = now

    def served(self, asked_at: float, now: float, user: int) -> None:
        """A question was answered."""
        self._served.append(Served(asked_at, now, user))
        self._served_by[user] += 1

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
        closures = sum(project.cooling.until > 0 for project in pool.projects)
        self._state_changes = gates + closures + pool.breaker.is_open

    def figures(self) -> dict[str, float]:
        """Give every figure of ``FIGURES``."""
        asked, served, calls = len(self._asked), len(self._served), len(self._began)
        wasted = sum(count for kind, count in self._kinds.items() if kind not in _NOT_WASTED)
        refusals = sum(self._kinds[kind] for kind in _REFUSALS)
        waits = sorted(one.at - one.asked_at for one in self._served)
        by_key = Counter(key for _, key in self._began)
        shares = [_percent(by_key[key + 1], calls) for key in range(len(self._scenario.projects))]
        values: dict[str, float] = {
            "availability": _percent(served, asked),
            "calls_per_served": _ratio(calls, served),
            "refused_per_served": _ratio(refusals, served),
            "wasted": wasted,
            "wasted_ill": self._wasted_ill if self._ill else math.nan,
            "waste_to_equal": self._wasted_ill / self._equal_waste if self._ill and self._equal_waste else math.nan,
            "wait_p50": _quantile(waits, 0.50),
            "wait_p95": _quantile(waits, 0.95),
            "wait_p99": _quantile(waits, 0.99),
            "peak_calls": max(Counter(int(at) for at, _ in self._began).values(), default=0),
            "share_least": min(shares),
            "share_most": max(shares),
            "calls_most": max(by_key.values(), default=0),
            "flagged": _percent(self._flagged, self._samples),
            "refused_429": refusals,
            "state_changes": self._state_changes,
            "user_least": self._least_user(),
            "asked": asked,
        }
        return values | self._healing() | self._outage()

    def _is_ill(self, key: int, now: float) -> bool:
        return any(key in fault.keys and fault.strikes(key, now) for fault in self._scenario.faults)

    def _least_user(self) -> float:
        return min((_percent(self._served_by[user], count) for user, count in self._asked_by.items()), default=100.0)

    def _healing(self) -> dict[str, float]:
        """How soon a key that was ill for a time is back, and how far its share is from the fair one (in points)."""
        if self._window is None or not self._ill or math.isinf(self._window[1]):
            return {"healed_back_s": math.nan, "healed_share_off": math.nan}
        back = self._healed_back_at
        if back is None:
            return {"healed_back_s": math.inf, "healed_share_off": math.inf}
        keys = [key for at, key in self._began if back <= at < back + _SHARE_OVER_S]
        share = _percent(sum(key in self._ill for key in keys), len(keys))
        fair = _percent(len(self._ill), len(self._scenario.projects))
        return {"healed_back_s": back - self._window[1], "healed_share_off": abs(share - fair)}

    def _outage(self) -> dict[str, float]:
        """What an outage of everything did: calls in it, the first answer after it, and what came after that."""
        if self._window is None or self._ill or math.isinf(self._window[1]):
            return dict.fromkeys(("outage_calls", "first_success_s", "available_after"), math.nan)
        start, end = self._window
        asked = sum(start <= at < end for at in self._asked)
        calls = sum(start <= at < end for at, _ in self._began)
        first = min((one.at for one in self._served if one.at >= end), default=math.inf)
        after = sum(at >= first for at in self._asked)
        return {
            "outage_calls": _ratio(calls, asked),
            "first_success_s": first - end,
            "available_after": _percent(sum(one.asked_at >= first for one in self._served), after),
        }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.inf


def _percent(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole else 100.0


def _quantile(ordered: list[float], share: float) -> float:
    if not ordered:
        return math.inf
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
