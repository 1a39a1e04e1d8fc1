"""How many keys for how many people? The smallest number of projects that serves them, found by simulation.

``python -m benchmarks.plan --users 200 --per-hour 12 --rpm 15 [--rpd 1500] [--wait 5] [--served 99.9]`` lets the users
ask at random for an hour (a busy one; the day's limit is spread over 24 of them) and prints a table: projects tried,
requests served, and the time in line, and at the end the smallest number that keeps both promises. Keys of one project
share its quota, so what counts is projects. The model's latency is that of the scenarios (median 2.5 s).
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.simulation.scenario import Load, Scenario, Service
from benchmarks.simulation.world import run
from utils.gemini_pool.policy import PoolConfig

_HOUR_S = 3600.0
_SEEDS = 3
_MOST_PROJECTS = 4096


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who asks how much, under which limits of a project, and what is promised to them."""

    users: int
    per_hour: float
    rpm: int
    rpd: int = 0
    wait_s: float = 5.0
    served: float = 99.9


@dataclass(frozen=True, slots=True)
class Found:
    """What so many projects come to: percent served, and the 95th percentile of the time in line (seconds)."""

    projects: int
    served: float
    line_p95_s: float

    def keeps(self, wanted: Wanted) -> bool:
        """Whether both promises are kept."""
        return self.served >= wanted.served and self.line_p95_s <= wanted.wait_s


def simulate(wanted: Wanted, projects: int) -> Found:
    """Let the users ask for an hour; means over a few seeds."""
    # a day's limit is no window of an hour: its share of an hour bounds what a minute may bring over that hour
    per_minute = wanted.rpm
    if wanted.rpd:
        per_minute = min(per_minute, max(1, round(wanted.rpd / 24 / 60)))
    scenario = Scenario(
        name="plan",
        title="",
        duration_s=_HOUR_S,
        projects=tuple(f"project {number + 1}" for number in range(projects)),
        loads=(Load(until_s=_HOUR_S, per_s=wanted.users * wanted.per_hour / _HOUR_S, users=wanted.users),),
        service=Service(requests_per_minute=per_minute),
    )
    config = PoolConfig(requests_per_minute=per_minute)
    figures = [run(scenario, config, seed).figures() for seed in range(_SEEDS)]
    return Found(
        projects,
        statistics.mean(one["availability"] for one in figures),
        statistics.mean(one["line_p95"] for one in figures),
    )


def plan(wanted: Wanted, tell: Callable[[Found], None] = lambda _: None) -> Found | None:
    """Find the smallest number of projects that keeps the promises; None: not even the most that is tried does."""
    least, most = 1, 1
    best: Found | None = None
    while best is None:
        found = simulate(wanted, most)
        tell(found)
        if found.keeps(wanted):
            best = found
        elif most >= _MOST_PROJECTS:
            return None
        else:
            least, most = most + 1, most * 2
    while least < best.projects:
        found = simulate(wanted, (least + best.projects) // 2)
        tell(found)
        if found.keeps(wanted):
            best = found
        else:
            least = found.projects + 1
    return best


def main(argv: list[str] | None = None) -> int:
    """Print the table and the answer; the exit code is 1 when nothing keeps the promises."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.plan", description="How many projects for how many users?"
    )
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--per-hour", type=float, default=12.0, help="questions of one user in a busy hour")
    parser.add_argument("--rpm", type=int, required=True, help="requests a minute of one project")
    parser.add_argument("--rpd", type=int, default=0, help="requests a day of one project; 0: no such limit")
    parser.add_argument("--wait", type=float, default=5.0, help="95 of 100 wait no longer in line (seconds)")
    parser.add_argument("--served", type=float, default=99.9, help="percent of the questions that are answered")
    told = parser.parse_args(argv)
    if min(told.users, told.rpm) < 1 or told.per_hour <= 0:
        parser.error("--users and --rpm must be 1 or more, --per-hour more than 0")
    wanted = Wanted(told.users, told.per_hour, told.rpm, told.rpd, told.wait, told.served)
    print("| projects | served % | in line p95 s |\n|---|---|---|")
    best = plan(wanted, lambda found: print(f"| {found.projects} | {found.served:.2f} | {found.line_p95_s:.2f} |"))
    if best is None:
        print(f"\nNot even {_MOST_PROJECTS} projects serve {told.users} users like that.")
        return 1
    sentence = f"{best.projects} projects serve {told.users} users: {best.served:.2f} % answered"
    print(f"\n{sentence}, in line {best.line_p95_s:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
