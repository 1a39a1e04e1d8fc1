"""``python -m benchmarks.service``: every scenario and client, into ``docs/benchmarks/scenarios.md`` and ``.png``.

``--clients`` and ``--scenarios`` take fewer of them; then, or with ``--print``, the page is only printed. The exit code
is 1 when our pool misses a goal and ``--hold`` was given.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import platform
import sys
import time
from collections.abc import Sequence
from itertools import product

from benchmarks.service.children import ROOT, ChildError
from benchmarks.service.clients import CLIENTS, OURS, Client, available
from benchmarks.service.report import page
from benchmarks.service.running import Result, median_result, run_all_seeds
from benchmarks.service.scenario import Run, Scenario
from benchmarks.service.scenarios import BY_NAME, SCENARIOS

_TARGET = ROOT / "docs" / "benchmarks"
_SPEED = 20.0


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description="Clients on the same bad days.")
    parser.add_argument("--clients", nargs="+", choices=[client.name for client in CLIENTS], metavar="NAME")
    parser.add_argument("--scenarios", nargs="+", choices=sorted(BY_NAME), metavar="NAME")
    parser.add_argument("--speed", type=float, default=_SPEED, help="scenario seconds in a real one (default 20)")
    parser.add_argument("--rounds", type=int, default=1, help="interleaved rounds to take the medians of (default 1)")
    parser.add_argument("--print", action="store_true", dest="only_print", help="write no files")
    parser.add_argument("--hold", action="store_true", help="exit code 1 when our pool misses a goal")
    return parser.parse_args(argv)


async def measure(scenarios: Sequence[Scenario], clients: Sequence[Client], speed: float, rounds: int) -> list[Result]:
    """Run them in turn, all clients on one scenario before the next; raises ChildError."""
    found: dict[tuple[str, str], list[Result]] = {}
    healthy: dict[tuple[str, str], Run] = {}
    for scenario, _, client in product(scenarios, range(rounds), clients):
        begun = time.monotonic()
        known = healthy.get((scenario.healthy or "", client.name))
        result, last = await run_all_seeds(scenario, client, speed=speed, healthy=known)
        healthy[scenario.name, client.name] = last
        found.setdefault((scenario.name, client.name), []).append(result)
        sys.stderr.write(_progress(result, time.monotonic() - begun))
    return [median_result(results) for results in found.values()]


def _progress(result: Result, seconds: float) -> str:
    pairs = zip(result.scenario.figures, result.values, strict=True)
    figures = ", ".join(f"{figure.title} {figure.text(value)}" for figure, value in pairs)
    return f"{result.scenario.name} / {result.client.name} ({result.speed:g}x, {seconds:.1f} s): {figures}\n"


def _with_healthy(names: Sequence[str] | None) -> list[Scenario]:
    """The scenarios named, and those they are measured by, in the order of all."""
    wanted = set(names or BY_NAME)
    wanted |= {measure for name in wanted if (measure := BY_NAME[name].healthy)}
    return [scenario for scenario in SCENARIOS if scenario.name in wanted]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, then print or write; answers the exit code."""
    told = arguments(argv)
    clients = [client for client in available() if not told.clients or client.name in told.clients]
    for client in CLIENTS:
        if client not in available():
            sys.stderr.write(f"{client.title} is left out: `make clients` installs it.\n")
    try:
        results = asyncio.run(measure(_with_healthy(told.scenarios), clients, told.speed, told.rounds))
    except ChildError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    text = page(results, rounds=told.rounds)
    if told.only_print or told.clients or told.scenarios:
        print(text)
    else:
        _write(text, results)
    missed = [(one.scenario.name, one.missed) for one in results if one.client.name == OURS.name and one.missed]
    for name, titles in missed:
        sys.stderr.write(f"Missed in {name}: {'; '.join(titles)}.\n")
    return 1 if missed and told.hold else 0


def _write(text: str, results: Sequence[Result]) -> None:
    from benchmarks.service.chart import draw  # noqa: PLC0415  # a run that only prints needs no drawing library

    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    head = f"# scenarios\n\n`python -m benchmarks.service` on {dt.datetime.now(dt.UTC):%Y-%m-%d}, {where}.\n\n"
    picture = "![The first figure of every scenario, a bar a client](scenarios.png)\n\n"
    (_TARGET / "scenarios.md").write_text(head + picture + text, encoding="utf-8")
    draw(results, _TARGET / "scenarios.png")


if __name__ == "__main__":
    sys.exit(main())
