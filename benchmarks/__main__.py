"""Run every benchmark and write what it prints into ``docs/benchmarks``, with the day and the machine."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ("pool", "storage", "bot")


def main() -> None:
    """Run them one after another, each in a process of its own."""
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    for name in BENCHMARKS:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        head = f"# {name}\n\n`python -m benchmarks.{name}` on {dt.datetime.now(dt.UTC):%Y-%m-%d}, {where}.\n\n"
        target = ROOT / "docs" / "benchmarks" / f"{name}.md"
        target.write_text(head + done.stdout, encoding="utf-8")
        print(done.stdout)


if __name__ == "__main__":
    main()
