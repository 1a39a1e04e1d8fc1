"""A run as a picture: for every scenario how people were served, how many were under way, and what calls came to.

One row a scenario, time from left to right; the time in which something is wrong with keys or service is shaded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from benchmarks.pictures import BLACK, BLUE, GREY, INK, ORANGE, PURPLE, RED, YELLOW, sheet
from benchmarks.simulation.scenario import Scenario
from benchmarks.simulation.table import Measured
from benchmarks.simulation.timeline import OUTCOMES

_WIDTH_IN, _ROW_IN = 15.0, 1.9
_MINUTE_S = 60.0
#: Runs longer than this have their time in minutes.
_LONG_S = 300.0
_CALLS = dict(zip(OUTCOMES, (BLUE, YELLOW, PURPLE, ORANGE, BLACK, GREY), strict=True))
_PEOPLE = {"answered": BLUE, "not answered": RED}


def draw(measured: Sequence[Measured], target: Path) -> None:
    """Write the picture of the first seed of every scenario as PNG; raises OSError."""
    with sheet(target, len(measured), 3, width_in=_WIDTH_IN, row_in=_ROW_IN, together="x") as (picture, grid):
        for one, (people, waiting, calls) in zip(measured, grid, strict=True):
            _row(one, people, waiting, calls)
        colours = _CALLS | _PEOPLE
        patches = [Patch(color=colour, label=name) for name, colour in colours.items()]
        picture.legend(handles=patches, loc="outside upper left", ncols=len(patches), frameon=False)


def _row(measured: Measured, people: Axes, waiting: Axes, calls: Axes) -> None:
    scenario, told = measured.scenario, measured.timeline
    unit_s = _MINUTE_S if len(told.answered) * told.bin_s > _LONG_S else 1.0
    times = [number * told.bin_s / unit_s for number in range(len(told.answered))]
    ended = dict(zip(_PEOPLE, (told.answered, told.unanswered), strict=True))
    _stack(people, times, {name: [count / told.bin_s for count in ended[name]] for name in ended}, _PEOPLE)
    waiting.fill_between(times, told.under_way, step="post", color=GREY)
    _stack(calls, times, {name: [count / told.bin_s for count in told.calls[name]] for name in told.calls}, _CALLS)
    titles = (
        f"{scenario.name}: {scenario.title}\nquestions ended a second",
        "\npeople waiting",
        "\ncalls ended a second",
    )
    for panel, title in zip((people, waiting, calls), titles, strict=True):
        panel.set_title(title, loc="left", fontsize=8.5)
        panel.set_xlim(0.0, max(times[-1:], default=0.0) or 1.0)
        panel.set_ylim(bottom=0.0)
        panel.set_xlabel("minutes" if unit_s == _MINUTE_S else "seconds", fontsize=7, loc="right", labelpad=1)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=7, colors=INK)
        _shade(panel, scenario, unit_s)


def _stack(
    panel: Axes, times: Sequence[float], series: Mapping[str, Sequence[float]], colours: Mapping[str, str]
) -> None:
    panel.stackplot(times, list(series.values()), colors=[colours[name] for name in series], step="post")


def _shade(panel: Axes, scenario: Scenario, unit_s: float) -> None:
    """Shade the time of every fault that does not last for ever from the start."""
    for fault in scenario.faults:
        if fault.from_s > 0.0 or not math.isinf(fault.until_s):
            end = min(fault.until_s, scenario.duration_s)
            panel.axvspan(fault.from_s / unit_s, end / unit_s, color=INK, alpha=0.08, linewidth=0, zorder=0)
