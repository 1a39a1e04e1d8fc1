"""``python -m benchmarks.service``: every scenario and client, into ``docs/benchmarks/scenarios.md`` and ``.png``.

``--clients`` and ``--scenarios`` take fewer of them; then, or with ``--print``, the page is only printed, unless
``--write`` is given. ``--minutes`` begins no further round after that time. The exit code is 1 when our pool misses a
goal and ``--hold`` was given, 2 when a run failed; all others are in the page then.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import platform
import sys
from collections.abc import Sequence

from benchmarks.service.children import ROOT
from benchmarks.service.clients import CLIENTS, OURS, available
from benchmarks.service.report import page
from benchmarks.service.rounds import Rounds
from benchmarks.service.running import Result
from benchmarks.service.scenario import Scenario
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
    parser.add_argument("--minutes", type=float, help="begin no further round after so many minutes")
    parser.add_argument("--write", action="store_true", help="write the files though not everything was measured")
    parser.add_argument("--print", action="store_true", dest="only_print", help="write no files")
    parser.add_argument("--hold", action="store_true", help="exit code 1 when our pool misses a goal")
    return parser.parse_args(argv)


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
    rounds = Rounds(_with_healthy(told.scenarios), clients, speed=told.speed, tell=sys.stderr.write)
    results = asyncio.run(rounds.play(told.rounds, told.minutes))
    text = page(results, rounds=rounds.done)
    if told.only_print or not (told.write or (results and not told.clients and not told.scenarios)):
        print(text)
    else:
        _write(text, results, list(sys.argv[1:] if argv is None else argv))
    missed = [(one.scenario.name, one.missed) for one in results if one.client.name == OURS.name and one.missed]
    for name, titles in missed:
        sys.stderr.write(f"Missed in {name}: {'; '.join(titles)}.\n")
    if rounds.failed:
        return 2
    return 1 if missed and told.hold else 0


def _write(text: str, results: Sequence[Result], argv: Sequence[str]) -> None:
    from benchmarks.service.chart import draw  # noqa: PLC0415  # a run that only prints needs no drawing library

    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    command = " ".join(["python -m benchmarks.service", *argv])
    head = f"# scenarios\n\n`{command}` on {dt.datetime.now(dt.UTC):%Y-%m-%d}, {where}.\n\n"
    picture = "![The first figure of every scenario, a bar a client](scenarios.png)\n\n"
    (_TARGET / "scenarios.md").write_text(head + picture + text, encoding="utf-8")
    draw(results, _TARGET / "scenarios.png")


if __name__ == "__main__":
    sys.exit(main())
