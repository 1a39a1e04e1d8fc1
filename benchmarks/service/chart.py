"""The results as a picture: for every scenario its first figure, a bar a client, the goal as a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from benchmarks.pictures import BLUE, GREY, INK, RED, sheet
from benchmarks.service.clients import OURS
from benchmarks.service.running import Result

_COLUMNS = 2
_WIDTH_IN, _ROW_IN = 12.0, 2.4
_HEADROOM = 1.25


def draw(results: Sequence[Result], target: Path) -> None:
    """Write the picture as PNG; raises OSError."""
    names = list(dict.fromkeys(result.scenario.name for result in results))
    rows = math.ceil(len(names) / _COLUMNS)
    with sheet(target, rows, _COLUMNS, width_in=_WIDTH_IN, row_in=_ROW_IN, together="y") as (_, grid):
        panels = [panel for row in grid for panel in row]
        for panel, name in zip(panels, names, strict=False):
            _panel(panel, [result for result in results if result.scenario.name == name])
        for panel in panels[len(names) :]:
            panel.set_axis_off()


def _panel(panel: Axes, results: Sequence[Result]) -> None:
    scenario = results[0].scenario
    figure = scenario.figures[0]
    values = [result.values[0] for result in results]
    shown = [value if math.isfinite(value) else 0.0 for value in values]
    colours = [BLUE if result.client.name == OURS.name else GREY for result in results]
    bars = panel.barh([result.client.title for result in results], shown, color=colours, height=0.7)
    panel.bar_label(bars, [f" {figure.text(value)}" for value in values], color=INK)
    top = max([*shown, figure.goal.bound if figure.goal else 0.0]) or 1.0
    panel.set_xlim(0, top * _HEADROOM)
    if figure.goal is not None:
        panel.axvline(figure.goal.bound, color=RED, linestyle="--", linewidth=1)
    panel.set_ylim(len(bars) - 0.4, -0.6)
    goal = f" (goal: {figure.goal_text})" if figure.goal else ""
    panel.set_title(f"{scenario.title}\n{figure.title}{goal}", loc="left", fontsize=9.5)
    panel.spines[["top", "right", "bottom"]].set_visible(False)
    panel.set_xticks([])
    panel.tick_params(left=False)
