"""The report of a run: a table by module, what was left alone, and every mutant that nobody noticed."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.mutation.mutants import EXCLUDED
from tests.mutation.runner import End, Result

_INTRODUCTION = """\
Small mistakes are planted one by one into `{package}`; the tests that run the line are run over each.
Killed: a test fails. Timed out: the tests take many times as long as usual, which counts as noticed.
Tests that take more than {longest_s:g} s are left out, so what only they notice counts as survived."""
_KILLED = (End.KILLED, End.TIMED_OUT)


def percent(counts: Counter[End]) -> float:
    """Give the share of mutants that were noticed, in percent; of none all were."""
    total = sum(counts.values())
    return 100.0 * sum(counts[end] for end in _KILLED) / total if total else 100.0


def by_module(results: Iterable[Result]) -> dict[str, Counter[End]]:
    """Count how mutants ended, by module, in the order of the names."""
    counted: defaultdict[str, Counter[End]] = defaultdict(Counter)
    for result in results:
        counted[result.mutant.module][result.end] += 1
    return dict(sorted(counted.items()))


def row(name: str, counts: Counter[End]) -> str:
    """Lay out one line of the table."""
    cells = [sum(counts.values()), *(counts[end] for end in End)]
    return f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + f" | {percent(counts):.1f} |"


def report(results: list[Result], *, package: str, command: str, seconds: float, longest_s: float) -> str:
    """Write the whole report in Markdown."""
    counted = by_module(results)
    total: Counter[End] = Counter()
    for counts in counted.values():
        total += counts
    prefix = package.replace("/", ".") + "."
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    columns = ["module", "mutants", *(end.value for end in End), "% noticed"]
    lines = [
        "# Mutation testing",
        "",
        f"`{command}` on {dt.datetime.now(dt.UTC):%Y-%m-%d}, {where}; {seconds / 60:.0f} minutes.",
        "",
        _INTRODUCTION.format(package=package, longest_s=longest_s),
        "",
        "Nothing is planted into:",
        "",
        EXCLUDED,
        "",
        "| " + " | ".join(columns) + " |",
        "|---" * len(columns) + "|",
        *(row(name.removeprefix(prefix), counts) for name, counts in counted.items()),
        row("**all**", total),
        "",
    ]
    return "\n".join(lines)


def survivors(results: Iterable[Result]) -> str:
    """Give a line for every mutant that nobody noticed."""
    return "".join(f"{result.end.value}: {result.mutant}\n" for result in results if result.end not in _KILLED)
