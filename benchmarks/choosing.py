"""Time to choose a key and count a call's start, and to count its end: by the number of keys and the history behind.

Figures are microseconds of wall time in a loop without I/O: medians over rounds of 50 calls that begin together and end
together. All rows are visited in turn, again and again, so that a slow moment of the machine meets all of them; before
a visit is measured every key has been used once, since the processor's caches hold what other rows left there. Python's
collector of cyclic garbage is off, as in ``timeit``. The first row is a yardstick for the moment and the machine:
``InTurn`` has no rules, it takes keys in turn and counts starts, ends and what is under way. A history that would take
longer than ``LONGEST_HISTORY_S`` is cut short, and the row says how long it was.
"""

from __future__ import annotations

import gc
import itertools
import statistics
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.requests import MODEL, make_policy
from utils.gemini_pool.policy import Kind, Outcome, Policy
from utils.gemini_pool.policy.selection import FIRST, Wishes

VISITS = 40
ROUNDS = 20
AT_ONCE = 50
HISTORY = 100_000
LONGEST_HISTORY_S = 5.0
#: Keys, and keys of one project.
SIZES = ((4, 1), (100, 1), (100, 10), (1_000, 1), (1_000, 10), (10_000, 1), (10_000, 10))


class Choosing(Protocol):
    """What is measured: something that begins calls and ends them."""

    def begin(self, model: str, wishes: Wishes, now: float) -> Any:
        """Choose a key and count a call's start."""

    def end(self, lease: Any, outcome: Outcome, now: float) -> None:
        """Count a call's end."""


class InTurn:
    """Keys in turn, without rules."""

    def __init__(self, keys: int) -> None:
        self._turns = itertools.cycle(range(keys))
        self._started, self._ended, self._under_way = [0] * keys, [0] * keys, [0] * keys

    def begin(self, _model: str, _wishes: Wishes, now: float) -> tuple[int, float]:
        """Take the next key and count a call's start."""
        key = next(self._turns)
        self._started[key] += 1
        self._under_way[key] += 1
        return key, now

    def end(self, lease: tuple[int, float], _outcome: Outcome, _now: float) -> None:
        """Count a call's end."""
        key, _ = lease
        self._ended[key] += 1
        self._under_way[key] -= 1


def once(choosing: Choosing, calls: int) -> tuple[float, float]:
    """Begin calls and end them; microseconds for one beginning and for one end."""
    fine = Outcome(Kind.OK, input_tokens=10, output_tokens=20)
    begun_at = time.perf_counter()
    leases = [choosing.begin(MODEL, FIRST, time.monotonic()) for _ in range(calls)]
    middle = time.perf_counter()
    for lease in leases:
        if lease is not None:
            choosing.end(lease, fine, time.monotonic())
    return (middle - begun_at) / calls * 1e6, (time.perf_counter() - middle) / calls * 1e6


def live_through(policy: Policy, calls: int) -> int:
    """Give the rules a history of calls, as far as there is time; answers how many."""
    until = time.perf_counter() + LONGEST_HISTORY_S
    done = 0
    while done < calls and time.perf_counter() < until:
        once(policy, AT_ONCE)
        policy.ledger.drain()
        done += AT_ONCE
    return done


@dataclass(slots=True)
class Row:
    """One line of the table: its first cells, and what it measures."""

    name: str
    policy: Policy | InTurn
    keys: int
    samples: list[tuple[float, float]] = field(default_factory=list)

    def visit(self) -> None:
        """Measure some rounds, once the row is at home in the processor's caches."""
        for _ in range(-(-self.keys // AT_ONCE)):
            once(self.policy, AT_ONCE)
        self.samples += [once(self.policy, AT_ONCE) for _ in range(ROUNDS)]
        if isinstance(self.policy, Policy):
            self.policy.ledger.drain()

    @property
    def text(self) -> str:
        """The line."""
        begin, end = (statistics.median(figures) for figures in zip(*self.samples, strict=True))
        return f"| {self.name} | {begin:,.1f} us | {end:,.1f} us |"


def prepared(keys: int, per_project: int, history: int) -> Row:
    """Make what a row measures."""
    policy = make_policy(keys, per_project)
    once(policy, 1)
    lived = live_through(policy, history)
    return Row(f"{keys:,} | {per_project} | {lived:,}", policy, keys)


def table() -> list[str]:
    """Rows: the yardstick, then by keys, fresh and with a history."""
    rows = [Row("1,000, in turn, without rules | | 0", InTurn(1_000), 1_000)]
    rows += [prepared(keys, per_project, history) for keys, per_project in SIZES for history in (0, HISTORY)]
    gc.collect()
    gc.disable()
    try:
        for _ in range(VISITS):
            for row in rows:
                row.visit()
    finally:
        gc.enable()
    head = ["| keys | of a project | calls before | begin | end |", "|---|---|---|---|---|"]
    return head + [row.text for row in rows]
