"""Time to choose a key and count a call's start, and to count its end: by the number of keys and the history behind.

Figures are microseconds of wall time in a loop without I/O: medians over rounds of 50 calls that begin together and end
together. A history that would take longer than ``LONGEST_HISTORY_S`` is cut short, and the row says how long it was.
"""

from __future__ import annotations

import statistics
import time

from benchmarks.requests import MODEL, make_policy
from utils.gemini_pool.policy import Kind, Outcome, Policy
from utils.gemini_pool.policy.selection import FIRST

ROUNDS = 40
AT_ONCE = 50
HISTORY = 100_000
LONGEST_HISTORY_S = 5.0
LONGEST_ROUNDS_S = 5.0
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


def row(keys: int, per_project: int, history: int) -> str:
    """Measure one line of the table."""
    policy = make_policy(keys, per_project)
    once(policy, 1)
    lived = live_through(policy, history)
    samples: list[tuple[float, float]] = []
    until = time.perf_counter() + LONGEST_ROUNDS_S
    while len(samples) < ROUNDS and time.perf_counter() < until:
        samples.append(once(policy, AT_ONCE))
    begin, end = (statistics.median(figures) for figures in zip(*samples, strict=True))
    return f"| {keys:,} | {per_project} | {lived:,} | {begin:,.1f} us | {end:,.1f} us |"


def table() -> list[str]:
    """Rows: by keys, fresh and with a history."""
    rows = ["| keys | of a project | calls before | begin | end |", "|---|---|---|---|---|"]
    for keys, per_project in SIZES:
        rows += [row(keys, per_project, history) for history in (0, HISTORY)]
    return rows
