"""Drive the pool's own rules through scenarios on a virtual clock, and print what comes of it.

``python -m benchmarks.simulate [SCENARIO.toml ...] [--seeds N] [--config FIELD=VALUE ...] [--plain] [--summary]
[--picture FILE] [--speed] [--replay RECORDS.jsonl [--keys N]]`` runs the files named (all of ``benchmarks/scenarios``
when none is) and prints one table per scenario: the mean over the seeds and the worst seed, then every goal with the
figure it was measured by; with ``--summary`` one row. ``--plain`` starts from ``PoolConfig.plain()``; ``--config`` wins
over what a scenario sets; ``--picture`` draws the first seed of every scenario (``docs/benchmarks/simulator.png`` when
all run as they stand); ``--replay`` plays recorded requests again instead. The same arguments print the same tables on
every machine, except with ``--speed``, which measures the simulator itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.simulation.replay import replay
from benchmarks.simulation.scenario import Load, Scenario, configured, read
from benchmarks.simulation.table import figures_table, measure, summary_head, summary_row, table
from benchmarks.simulation.world import run
from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.explaining.recorded import from_lines

SCENARIOS = Path(__file__).resolve().parent / "scenarios"
PICTURE = SCENARIOS.parent.parent / "docs" / "benchmarks" / "simulator.png"
#: Keys, and requests to simulate with them.
_SPEEDS = ((4, 20_000), (100, 20_000), (1_000, 50_000), (10_000, 1_000_000))


def arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description="Simulate the pool's rules.")
    parser.add_argument("scenarios", nargs="*", type=Path, help="scenario files; all of benchmarks/scenarios if none")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds, from 0 (default 20)")
    parser.add_argument("--config", nargs="+", default=[], action="extend", metavar="FIELD=VALUE")
    parser.add_argument("--plain", action="store_true", help="start from PoolConfig.plain()")
    parser.add_argument("--speed", action="store_true", help="measure the simulator itself instead")
    parser.add_argument("--summary", action="store_true", help="one row for each scenario")
    parser.add_argument("--picture", type=Path, help="the PNG to write; docs/benchmarks/simulator.png if all run")
    parser.add_argument("--replay", type=Path, help="a file of recorded requests instead of scenarios")
    parser.add_argument("--keys", type=int, help="with --replay: how many keys there are instead")
    told = parser.parse_args(argv)
    if told.seeds < 1:
        parser.error("--seeds must be 1 or more")
    if any("=" not in pair for pair in told.config):
        parser.error("--config takes FIELD=VALUE")
    return told


def speed(keys: int, requests: int) -> tuple[float, float]:
    """Seconds that this machine takes to simulate so many requests, one per key in 20 s, and those of its CPU."""
    load = Load(until_s=requests * 20 / keys, requests=requests)
    projects = tuple(f"project {number}" for number in range(keys))
    scenario = Scenario("speed", "", load.until_s, projects, (load,))
    begun, cpu_begun = time.perf_counter(), time.process_time()
    run(scenario, PoolConfig(), 0)
    return time.perf_counter() - begun, time.process_time() - cpu_begun


def main(argv: list[str] | None = None) -> int:
    """Print the tables; answers the exit code."""
    told = arguments(sys.argv[1:] if argv is None else argv)
    if told.speed:
        print("| keys | requests | seconds | of CPU | requests per second |\n|---|---|---|---|---|")
        for keys, requests in _SPEEDS:
            seconds, cpu_s = speed(keys, requests)
            row = f"| {keys:,} | {requests:,} | {seconds:,.1f} | {cpu_s:,.1f} | {requests / seconds:,.0f} |"
            print(row, flush=True)
        return 0
    over = dict(pair.split("=", 1) for pair in told.config)
    base = PoolConfig.plain() if told.plain else PoolConfig()
    try:
        if told.replay is not None:
            records = list(from_lines(told.replay.read_text(encoding="utf-8").splitlines()))
            print(figures_table(replay(records, configured(base, over), keys=told.keys).figures()))
            return 0
        _run(told, base, over)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _run(told: argparse.Namespace, base: PoolConfig, over: dict[str, str]) -> None:
    """Run scenarios, print their tables, and draw them; raises OSError and ValueError."""
    if told.summary:
        print(summary_head())
    lay_out = summary_row if told.summary else table
    drawn = []
    for path in told.scenarios or sorted(SCENARIOS.glob("*.toml")):
        measured = measure(read(path), told.seeds, base=base, over=over)
        print(lay_out(measured), flush=True)
        drawn.append(measured)
    # what is drawn by default stands in the repository: only what everybody would get belongs there
    target = told.picture or (None if told.scenarios or told.plain or over else PICTURE)
    if target is not None:
        from benchmarks.simulation.chart import draw  # noqa: PLC0415  # a run that only prints needs no such library

        draw(drawn, target)


if __name__ == "__main__":
    sys.exit(main())
