"""Run every benchmark, or those that are named, and write what each prints into ``docs/benchmarks``.

``python -m benchmarks [pool] [storage] [bot]``; above the tables stand the day and the machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ("pool", "storage", "bot")


def main(names: list[str]) -> None:
    """Run them one after another, each in a process of its own."""
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    for name in names or BENCHMARKS:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        head = f"# {name}\n\n`python -m benchmarks.{name}` on {dt.datetime.now(dt.UTC):%Y-%m-%d}, {where}.\n\n"
        target = ROOT / "docs" / "benchmarks" / f"{name}.md"
        target.write_text(head + done.stdout, encoding="utf-8")
        print(done.stdout)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="name", help=", ".join(BENCHMARKS))
    main(parser.parse_args().names)
