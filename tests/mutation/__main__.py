"""Plant mistakes into a package and see whether its tests notice them.

``python -m tests.mutation`` plants into the rules of the pool and writes the table into ``docs/benchmarks``; the code
of its end is 1 when fewer than ``--at-least`` percent were noticed. ``--only`` names one file of the package, for
work on its tests; nothing is written then. Survivors are listed in ``--survivors``. Run where nothing else is asked of
the machine: a test is given many times as long as usual, but not any time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.mutation.mutants import of_package
from tests.mutation.runner import Plan, Result, RunnerError, run
from tests.mutation.table import percent, report, survivors

PACKAGE = "utils/gemini_pool/policy"
#: What copies the package, or plants mistakes by itself, is left out.
TESTS = "tests/gemini_pool/policy --ignore=tests/gemini_pool/policy/test_planted_mistakes.py"
_TOLD_EVERY = 100


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Plant mistakes; see who notices.")
    parser.add_argument("--package", default=PACKAGE, help="the folder to plant into")
    parser.add_argument("--tests", default=TESTS, help="pytest's arguments for its tests")
    parser.add_argument("--only", default="", metavar="FILE", help="one file of the package")
    parser.add_argument("--at-least", type=float, default=90.0, metavar="PERCENT")
    parser.add_argument("--longest", type=float, default=1.5, metavar="SECONDS", help="leave slower tests out")
    parser.add_argument("--spare", type=float, default=2.0, metavar="SECONDS", help="what a test may take longer")
    parser.add_argument("--write", type=Path, default=None, metavar="FILE", help="write the table there")
    parser.add_argument("--survivors", type=Path, default=None, metavar="FILE", help="list there what nobody noticed")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run it; answers the exit code."""
    told = _arguments(argv)
    root, begun = Path.cwd(), time.monotonic()
    mutants = of_package(root, f"{told.package}/{told.only}" if told.only else told.package)
    results: list[Result] = []
    try:
        for result in run(Plan(root, mutants, told.tests.split(), told.longest, told.spare)):
            results.append(result)
            if len(results) % _TOLD_EVERY == 0:
                sys.stderr.write(f"{len(results)} of {len(mutants)}\n")
    except RunnerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    command = "python -m tests.mutation"
    shown = report(
        results,
        package=told.package,
        command=command,
        seconds=time.monotonic() - begun,
        longest_s=told.longest,
    )
    sys.stdout.write(shown)
    if told.write is not None and not told.only:
        told.write.write_text(shown, encoding="utf-8")
    if told.survivors is not None:
        told.survivors.write_text(survivors(results), encoding="utf-8")
    reached = percent(Counter(result.end for result in results))
    return 0 if reached >= told.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
