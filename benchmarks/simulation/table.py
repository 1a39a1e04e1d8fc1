"""Runs a scenario over seeds and lays the figures out: one row per scenario, then its goals.

``measure`` gives the figures of every seed; ``rows`` and ``goal_lines`` make the text of them (Markdown).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.simulation.figures import FIGURES, ONLY_AS_GOAL
from benchmarks.simulation.scenario import Scenario, configured
from benchmarks.simulation.timeline import Timeline
from benchmarks.simulation.world import run
from utils.gemini_pool.policy import PoolConfig

#: Figures in which a smaller number is the worse one.
_MORE_IS_BETTER = frozenset(
    {"availability", "available_after", "available_soon", "last_served", "share_even", "share_least", "user_least"}
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A scenario's figures, one number per seed, and the timeline of the first seed."""

    scenario: Scenario
    values: Mapping[str, Sequence[float]]
    timeline: Timeline

    def mean(self, figure: str) -> float:
        """Give the mean over the seeds."""
        values = self.values[figure]
        return sum(values) / len(values)

    def worst(self, figure: str) -> float:
        """Give the number of the worst seed."""
        return min(self.values[figure]) if figure in _MORE_IS_BETTER else max(self.values[figure])


def measure(
    scenario: Scenario, seeds: int, *, base: PoolConfig | None = None, over: Mapping[str, object] | None = None
) -> Measured:
    """Run a scenario with seeds 0, 1, ...; ``over`` wins over what the scenario sets, which wins over ``base``."""
    config = configured(base or PoolConfig(), {**scenario.config, **(over or {})})
    first = run(scenario, config, 0)
    runs = [first.figures(), *(run(scenario, config, seed).figures() for seed in range(1, seeds))]
    return Measured(scenario, {name: [figures[name] for figures in runs] for name in FIGURES}, first.timeline())


def table(measured: Measured) -> str:
    """Lay out one scenario: the figures it has, their mean over the seeds and the worst seed, and its goals."""
    scenario = measured.scenario
    hidden = ONLY_AS_GOAL - {goal.figure for goal in scenario.goals}
    names = [name for name in FIGURES if name not in hidden and not math.isnan(measured.values[name][0])]
    lines = [
        f"## {scenario.name}: {scenario.title}",
        "",
        "| | " + " | ".join(FIGURES[name] for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
        "| mean | " + " | ".join(shown(measured.mean(name)) for name in names) + " |",
        "| worst | " + " | ".join(shown(measured.worst(name)) for name in names) + " |",
        "",
        *goal_lines(measured),
    ]
    return "\n".join(lines) + "\n"


#: The columns of the summary, by figure.
_SUMMARY = ("availability", "calls_per_served", "refused_per_served", "wasted", "wait_p50", "wait_p95", "wait_p99")


def summary_head() -> str:
    """Give the head of the table of which ``summary_row`` is a row."""
    names = ["scenario", *(FIGURES[name] for name in _SUMMARY), "goals"]
    return "| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|"


def summary_row(measured: Measured) -> str:
    """Lay out one scenario in one row: means over the seeds, and its goals."""
    goals = []
    for goal in measured.scenario.goals:
        values = list(measured.values[goal.figure])
        word = "" if goal.is_met(values) else "**not reached** "
        bound = str(goal).removeprefix(goal.figure).strip()
        goals.append(f"{word}{goal.figure} {shown(goal.value(values))} (goal {bound})")
    cells = [measured.scenario.name, *(shown(measured.mean(name)) for name in _SUMMARY), "; ".join(goals)]
    return "| " + " | ".join(cells) + " |"


def figures_table(figures: Mapping[str, float]) -> str:
    """Lay out the figures of one run, one a line; those it has nothing of are left out."""
    lines = [f"| {FIGURES[name]} | {shown(value)} |" for name, value in figures.items() if not math.isnan(value)]
    return "\n".join(["| figure | |", "|---|---|", *lines]) + "\n"


def goal_lines(measured: Measured) -> list[str]:
    """Give a line for every goal: reached or not, and by what figure."""
    lines = []
    for goal in measured.scenario.goals:
        values = list(measured.values[goal.figure])
        word = "reached" if goal.is_met(values) else "NOT REACHED"
        lines.append(f"- {word}: {goal}; measured {shown(goal.value(values))}")
    return lines


def shown(value: float) -> str:
    """Write a figure as people read it."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "never"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"
