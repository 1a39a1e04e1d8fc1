"""Run tests over mutants: each in a fork of a pytest session that has collected everything already.

``run`` yields how every mutant ended. The tests that can notice one run in the order of what they cost, those first
that noticed another mistake of the same function; the first that fails ends it. What runs at the import of a module is
planted in forks of a process that has imported nothing of the product yet, so ``run`` must be called in such a one.
What always holds: all tests pass before anything is planted, Hypothesis draws the same examples every time, and a
mutant whose tests take many times as long as usual counts as timed out.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.mutation.forks import Ended, Tell, in_a_copy, limit_time, listen
from tests.mutation.mutants import Mutant
from tests.mutation.planting import Key, living_functions, plant_at_import, plant_in_place
from tests.mutation.touched import Seen, Touched, Tracer

#: A test may take so many times what it took while it was watched, which is slower anyway.
_TIMES = 2.0
#: Collecting the tests of what the import runs.
_IMPORT_S = 30.0
_IMPORT = "the import"
_CRASH = "the end of the process"


class End(StrEnum):
    """How a mutant ended."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    #: No test runs its line: it survived as well.
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Result:
    """How a mutant ended, by which test, and how long that took."""

    mutant: Mutant
    end: End
    by: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What is to be tested, and the tests as pytest's arguments; ``root``: the product's folder, the working one."""

    root: Path
    mutants: Sequence[Mutant]
    tests: Sequence[str]
    #: Tests that take more seconds of CPU time while they are watched are left out.
    longest_s: float = math.inf
    #: A test may take this much CPU time more than what it took while it was watched.
    spare_s: float = 2.0

    @property
    def paths(self) -> list[Path]:
        """The files with mutants."""
        return sorted({mutant.path for mutant in self.mutants})


class RunnerError(Exception):
    """The tests cannot be used as they are; the text says why."""


@dataclass(frozen=True)
class _Told:
    """A ``Result`` between processes; without an end the mutant must be planted at the import."""

    number: int
    end: End | None
    by: str = ""
    seconds: float = 0.0


@dataclass
class _Likely:
    """The tests that noticed a mistake of each function, the newest first."""

    killers: defaultdict[object, list[str]] = field(default_factory=lambda: defaultdict(list))

    def sort(self, mutant: Mutant, tests: list[str]) -> list[str]:
        first = [test for test in self.killers[mutant.path, mutant.function] if test in tests]
        return first + [test for test in tests if test not in first]

    def learn(self, mutant: Mutant, told: _Told) -> None:
        killers = self.killers[mutant.path, mutant.function]
        if told.end is End.KILLED and told.by not in {_IMPORT, _CRASH}:
            if told.by in killers:
                killers.remove(told.by)
            killers.insert(0, told.by)


class _Session:
    """A plugin that does its work instead of pytest's own loop over the tests."""

    def __init__(self, work: Callable[[_Session], Any]) -> None:
        self._work = work
        self._failed = False
        self.items: dict[str, pytest.Item] = {}
        self.answer: Any = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self.answer = self._work(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def passes(self, test: str, following: str | None) -> bool:
        """Run one test; ``following``: the next, whose fixtures are kept."""
        self._failed = False
        item = self.items[test]
        nextitem = None if following is None else self.items[following]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        return not self._failed


def _pytest(arguments: Sequence[str], work: Callable[[_Session], Any]) -> Any:
    """Collect the tests and do the work with them; answers what it answered, None when nothing could be collected."""
    # without the project's own arguments (several processes) and without a limit of time that is not ours
    plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain"]
    quiet = [*plugins, "-s", "-q", "--tb=no", "-o", "addopts=", "-o", "timeout=0"]
    settings.register_profile(
        "mutation", derandomize=True, database=None, deadline=None, phases=(Phase.explicit, Phase.generate)
    )
    settings.load_profile("mutation")
    session = _Session(work)
    pytest.main([*quiet, "-m", "not soak", *arguments], plugins=[session])
    return session.answer


def run(plan: Plan) -> Iterator[Result]:
    """Give the results, those of functions first; ``RunnerError`` when the tests do not pass as they are."""
    touched: Touched | None = None
    later: list[Mutant] = []
    foreign: list[str] = []
    for told in listen(lambda tell: _pytest(plan.tests, lambda session: _serve(plan, session, tell))):
        if isinstance(told, dict):
            touched = Touched(told, plan.paths)
        elif isinstance(told, list):
            foreign = told
        elif isinstance(told, str):
            raise RunnerError(f"{told} fails before anything is planted: mend it first")
        elif told.end is None:
            later.append(plan.mutants[told.number])
        else:
            yield _result(plan, told)
    if touched is None:
        raise RunnerError("the tests could not be collected: see what pytest wrote above")
    likely = _Likely()
    for name in foreign if later else ():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for mutant in later:
        told = _at_import(plan, touched, mutant, likely)
        likely.learn(mutant, told)
        yield _result(plan, told)


def _result(plan: Plan, told: _Told) -> Result:
    assert told.end is not None
    return Result(plan.mutants[told.number], told.end, told.by, told.seconds)


def _serve(plan: Plan, session: _Session, tell: Tell) -> None:
    """Work off the mutants of functions, with all tests collected; the others are told back."""
    # once, so that what the fixtures of every test import is here already
    first = next(iter(session.items))
    if not session.passes(first, None):
        tell(first)
        return
    tell(_foreign(plan.root))
    watched = in_a_copy(lambda: _watch(plan, session)).answer
    tell(watched)
    if not isinstance(watched, dict):
        return
    touched = Touched(watched, plan.paths)
    functions, bench = living_functions(), _Bench(plan, session, touched)
    likely = _Likely()
    for mutant in plan.mutants:
        begun = time.perf_counter()
        tests = likely.sort(mutant, touched.able(mutant))
        if not tests:
            told = _Told(mutant.number, End.NOT_RUN)
        elif mutant.function is None:
            told = _Told(mutant.number, None)
        else:
            ended = in_a_copy(functools.partial(bench.try_in_place, mutant, functions, tests))
            told = _read(mutant, ended, begun)
        likely.learn(mutant, told)
        tell(told)


def _foreign(root: Path) -> list[str]:
    """Name the modules of this process that are no part of the product or of its tests."""
    files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
    own = [name for name, file in files.items() if file.startswith(str(root)) and "site-packages" not in file]
    return [name for name in files if name not in own and name.partition(".")[0] not in own]


def _watch(plan: Plan, session: _Session) -> dict[str, Seen] | str:
    """Run every test once and see what it runs; answers the name of one that fails."""
    tracer = Tracer(plan.paths)
    seen = {}
    for test, following in _pairs(list(session.items)):
        begun = time.process_time()
        tracer.start()
        passed = session.passes(test, following)
        lines = tracer.stop()
        if not passed:
            return test
        seconds = time.process_time() - begun
        if seconds <= plan.longest_s:
            seen[test] = Seen(seconds, frozenset(lines))
    return seen


@dataclass(frozen=True)
class _Bench:
    """Tests that were collected, and what is known of them."""

    plan: Plan
    session: _Session
    touched: Touched

    def try_in_place(
        self, mutant: Mutant, functions: dict[Key, list[FunctionType]], tests: Sequence[str]
    ) -> str | bool:
        """Plant a mutant into living functions; answers whether it was, or the test that noticed."""
        return self.first_to_fail(tests) or True if plant_in_place(mutant, functions) else False

    def first_to_fail(self, tests: Sequence[str]) -> str:
        """Run tests, each within its time, until one fails; answers its name."""
        for test, following in _pairs(tests):
            limit_time(self.plan.spare_s + _TIMES * self.touched.tests[test].seconds)
            if not self.session.passes(test, following):
                return test
        return ""


def _at_import(plan: Plan, touched: Touched, mutant: Mutant, likely: _Likely) -> _Told:
    """Run the tests in a process in which the mutant is imported."""
    begun = time.perf_counter()
    tests = likely.sort(mutant, touched.able(mutant))
    files = sorted({test.partition("::")[0] for test in tests})

    def run_all(session: _Session) -> str | bool:
        # a test that is not there any more had its name from what the mistake changed
        there = [test for test in tests if test in session.items]
        return _Bench(plan, session, touched).first_to_fail(there) or True

    def work() -> str | bool:
        limit_time(_IMPORT_S)
        plant_at_import(mutant)
        return _pytest(files, run_all) or _IMPORT

    return _read(mutant, in_a_copy(work), begun)


def _read(mutant: Mutant, ended: Ended, begun: float) -> _Told:
    """Say what the end of a copy means."""
    seconds = time.perf_counter() - begun
    if ended.timed_out:
        return _Told(mutant.number, End.TIMED_OUT, "", seconds)
    if ended.answer is True:
        return _Told(mutant.number, End.SURVIVED, "", seconds)
    if ended.answer is False:
        return _Told(mutant.number, None)
    return _Told(mutant.number, End.KILLED, ended.answer or _CRASH, seconds)


def _pairs(tests: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    return itertools.zip_longest(tests, tests[1:])
