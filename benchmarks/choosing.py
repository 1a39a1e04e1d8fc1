"""Time to choose a key and count a call's start, and to count its end: by the number of keys and the history behind.

Figures are microseconds of wall time in a loop without I/O: medians over visits of 50 calls that begin together and end
together. All rows are visited in turn, again and again, so that a slow moment of the machine meets all of them. A
history that would take longer than ``LONGEST_HISTORY_S`` is cut short, and the row says how long it was.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

from benchmarks.requests import MODEL, make_policy
from utils.gemini_pool.policy import Kind, Outcome, Policy
from utils.gemini_pool.policy.selection import FIRST

VISITS = 200
AT_ONCE = 50
HISTORY = 100_000
LONGEST_HISTORY_S = 5.0
#: Keys, and keys of one project.
SIZES = ((4, 1), (100, 1), (100, 10), (1_000, 1), (1_000, 10), (10_000, 1), (10_000, 10))


def once(policy: Policy, calls: int) -> tuple[float, float]:
    """Begin calls and end them; microseconds for one beginning and for one end."""
    fine = Outcome(Kind.OK, input_tokens=10, output_tokens=20)
    begun_at = time.perf_counter()
    leases = [policy.begin(MODEL, FIRST, time.monotonic()) for _ in range(calls)]
    middle = time.perf_counter()
    for lease in leases:
        if lease is not None:
            policy.end(lease, fine, time.monotonic())
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
    """One line of the table: the rules over so many keys, after so many calls."""

    keys: int
    per_project: int
    history: int
    policy: Policy
    samples: list[tuple[float, float]] = field(default_factory=list)

    def visit(self) -> None:
        """Measure once; the first calls of a visit find what other rows left in the processor's caches."""
        once(self.policy, AT_ONCE)
        self.samples.append(once(self.policy, AT_ONCE))
        self.policy.ledger.drain()

    @property
    def text(self) -> str:
        """The line."""
        begin, end = (statistics.median(figures) for figures in zip(*self.samples, strict=True))
        return f"| {self.keys:,} | {self.per_project} | {self.history:,} | {begin:,.1f} us | {end:,.1f} us |"


def prepared(keys: int, per_project: int, history: int) -> Row:
    """Make what a row measures."""
    policy = make_policy(keys, per_project)
    once(policy, 1)
    return Row(keys, per_project, live_through(policy, history), policy)


def table() -> list[str]:
    """Rows: by keys, fresh and with a history."""
    rows = [prepared(keys, per_project, history) for keys, per_project in SIZES for history in (0, HISTORY)]
    for _ in range(VISITS):
        for row in rows:
            row.visit()
    head = ["| keys | of a project | calls before | begin | end |", "|---|---|---|---|---|"]
    return head + [row.text for row in rows]
