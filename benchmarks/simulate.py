"""Drive the pool's own rules through scenarios on a virtual clock, and print what comes of it.

``python -m benchmarks.simulate [SCENARIO.toml ...] [--seeds N] [--config FIELD=VALUE ...] [--plain] [--speed]`` runs
the files named (all of ``benchmarks/scenarios`` when none is) and prints one table per scenario: the mean over the
seeds and the worst seed, then every goal with the figure it was measured by. ``--plain`` starts from
``PoolConfig.plain()``; ``--config`` wins over what a scenario sets. The same arguments print the same tables on every
machine, except with ``--speed``, which measures how many requests are simulated in a second.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.simulation.scenario import Load, Scenario, read
from benchmarks.simulation.table import measure, table
from benchmarks.simulation.world import run
from utils.gemini_pool.policy import PoolConfig

SCENARIOS = Path(__file__).resolve().parent / "scenarios"
_SPEED_KEYS = (4, 100, 1_000)
_SPEED_REQUESTS = 2_000


def arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description="Simulate the pool's rules.")
    parser.add_argument("scenarios", nargs="*", type=Path, help="scenario files; all of benchmarks/scenarios if none")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds, from 0 (default 20)")
    parser.add_argument("--config", nargs="+", default=[], action="extend", metavar="FIELD=VALUE")
    parser.add_argument("--plain", action="store_true", help="start from PoolConfig.plain()")
    parser.add_argument("--speed", action="store_true", help="measure the simulator itself instead")
    told = parser.parse_args(argv)
    if told.seeds < 1:
        parser.error("--seeds must be 1 or more")
    if any("=" not in pair for pair in told.config):
        parser.error("--config takes FIELD=VALUE")
    return told


def speed(keys: int) -> float:
    """Requests simulated per second of this machine, with so many keys and one request per key in 20 s."""
    per_s = keys / 20
    load = Load(until_s=_SPEED_REQUESTS / per_s, requests=_SPEED_REQUESTS)
    projects = tuple(f"project {number}" for number in range(keys))
    scenario = Scenario("speed", "", load.until_s, projects, (load,))
    begun = time.perf_counter()
    run(scenario, PoolConfig(), 0)
    return _SPEED_REQUESTS / (time.perf_counter() - begun)


def main(argv: list[str] | None = None) -> int:
    """Print the tables; answers the exit code."""
    told = arguments(sys.argv[1:] if argv is None else argv)
    if told.speed:
        print("| keys | requests simulated per second |\n|---|---|")
        for keys in _SPEED_KEYS:
            print(f"| {keys:,} | {speed(keys):,.0f} |")
        return 0
    over = dict(pair.split("=", 1) for pair in told.config)
    base = PoolConfig.plain() if told.plain else PoolConfig()
    try:
        for path in told.scenarios or sorted(SCENARIOS.glob("*.toml")):
            print(table(measure(read(path), told.seeds, base=base, over=over)), flush=True)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
