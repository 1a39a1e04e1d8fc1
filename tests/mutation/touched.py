"""Which test runs which lines of the files under test, and how long each takes.

``Tracer`` watches the frames of these files alone; everything else runs untraced. ``Touched`` answers for one mutant
which tests can notice it: those that run a line of its statement, or, for what the import binds, those that run a line
which reads one of its names.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from tests.mutation.mutants import Mutant

#: A line of a file.
Line = tuple[str, int]


class Tracer:
    """Collects the lines that run between ``start`` and ``stop``."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = frozenset(str(path) for path in paths)
        self._lines: set[Line] = set()

    def start(self) -> None:
        """Begin with nothing collected."""
        self._lines = set()
        sys.settrace(self._enter)

    def stop(self) -> set[Line]:
        """Give what ran."""
        sys.settrace(None)
        return self._lines

    def _enter(self, frame: FrameType, event: str, told: Any) -> Any:
        name = frame.f_code.co_filename
        if name not in self._paths:
            return None
        lines = self._lines

        def see(inner: FrameType, event: str, told: Any) -> Any:
            lines.add((name, inner.f_lineno))
            return see

        return see


@dataclass(frozen=True)
class Seen:
    """What one test did: the seconds of CPU time it took while it was watched, and the lines it ran."""

    seconds: float
    lines: frozenset[Line]


class Touched:
    """The tests by the lines they run."""

    def __init__(self, tests: Mapping[str, Seen], paths: Iterable[Path]) -> None:
        self.tests = tests
        self._by_line: defaultdict[Line, set[str]] = defaultdict(set)
        for test, seen in tests.items():
            for line in seen.lines:
                self._by_line[line].add(test)
        self._readers = _readers(paths)

    def able(self, mutant: Mutant) -> list[str]:
        """Give the tests that can notice a mutant, the fastest first."""
        found = self._of_lines(mutant)
        if not found and mutant.function is None:
            # nothing reads the name in a line of a test: whatever runs the file may
            found = {test for (path, _), tests in self._by_line.items() if path == str(mutant.path) for test in tests}
        return sorted(found, key=lambda test: (self.tests[test].seconds, test))

    def _of_lines(self, mutant: Mutant) -> set[str]:
        if mutant.function is None:
            readers = {line for name in mutant.names for line in self._readers[name]}
            return set[str]().union(*(self._by_line.get(line, ()) for line in readers))
        return self._within(mutant, mutant.lines) or self._within(mutant, mutant.whole)

    def _within(self, mutant: Mutant, lines: tuple[int, int]) -> set[str]:
        path, (first, last) = str(mutant.path), lines
        return set[str]().union(*(self._by_line.get((path, line), ()) for line in range(first, last + 1)))


def _readers(paths: Iterable[Path]) -> defaultdict[str, set[Line]]:
    """Give the lines in which each name is read, as itself, as an attribute or as a keyword."""
    found: defaultdict[str, set[Line]] = defaultdict(set)
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                found[node.id].add((str(path), node.lineno))
            elif isinstance(node, ast.Attribute):
                found[node.attr].add((str(path), node.end_lineno or node.lineno))
                found[node.attr].add((str(path), node.lineno))
    return found
