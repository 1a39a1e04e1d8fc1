"""The goals of every scenario, held against the rules as they are.

A goal that is not reached today is expected to fail, strictly, with the figure in the reason: whoever improves the
rules past it is told, and takes it off the list. The goals themselves stand in the scenario files and are not lowered.
"""

from __future__ import annotations

import functools

import pytest

from benchmarks.simulate import SCENARIOS
from benchmarks.simulation.scenario import Goal, read
from benchmarks.simulation.table import Measured, measure, shown

_SEEDS = 2
#: Where a few seeds are not enough to tell a goal reached from one just missed.
_MORE_SEEDS = {"daily-limit": 5, "flaky-key": 6, "learned-limits": 5, "three-keys": 4}

#: (scenario, figure): what is measured today over 20 seeds.
_NOT_REACHED = {
    ("flaky-key", "waste_to_equal"): "0.257 of an equal share's waste, goal 0.25",
    ("hidden-projects", "refused_per_served"): "5.0 refusals per served request, goal 0.1",
}


@functools.cache
def measured(name: str) -> Measured:
    """Give a scenario's figures, run once for all its goals."""
    return measure(read(SCENARIOS / f"{name}.toml"), _MORE_SEEDS.get(name, _SEEDS))


def _cases() -> list[object]:
    cases: list[object] = []
    for path in sorted(SCENARIOS.glob("*.toml")):
        for goal in read(path).goals:
            reason = _NOT_REACHED.get((path.stem, goal.figure))
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            cases.append(pytest.param(path.stem, goal, marks=marks, id=f"{path.stem}-{goal.figure}"))
    return cases


@pytest.mark.parametrize(("name", "goal"), _cases())
def test_the_rules_reach_the_goal(name: str, goal: Goal) -> None:
    """The figure of the scenario keeps within its bound."""
    values = list(measured(name).values[goal.figure])
    assert goal.is_met(values), f"{goal}; measured {shown(goal.value(values))}"


def test_the_list_of_goals_not_reached_names_goals_that_exist() -> None:
    """An entry for a goal that was renamed would excuse nothing."""
    goals = {(path.stem, goal.figure) for path in SCENARIOS.glob("*.toml") for goal in read(path).goals}
    assert set(_NOT_REACHED) <= goals
