"""The results as a picture: for every scenario its first figure, a bar a client, the goal as a line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from benchmarks.service.clients import OURS
from benchmarks.service.running import Result

_COLUMNS = 2
_WIDTH_IN, _ROW_IN = 12.0, 2.4
_OURS, _PEER, _GOAL, _INK = "#1a73e8", "#b8c2cc", "#d93025", "#202124"
_HEADROOM = 1.25


def draw(results: Sequence[Result], target: Path) -> None:
    """Write the picture as PNG; raises OSError."""
    names = list(dict.fromkeys(result.scenario.name for result in results))
    rows = math.ceil(len(names) / _COLUMNS)
    with mpl.rc_context({"font.size": 9, "text.color": _INK, "axes.labelcolor": _INK}):
        picture = Picture(figsize=(_WIDTH_IN, rows * _ROW_IN), dpi=110, facecolor="white", layout="constrained")
        panels = list(picture.subplots(rows, _COLUMNS, squeeze=False, sharey=True).flat)
        for panel, name in zip(panels, names, strict=False):
            _panel(panel, [result for result in results if result.scenario.name == name])
        for panel in panels[len(names) :]:
            panel.set_axis_off()
        picture.savefig(target, format="png", metadata={"Software": None})


def _panel(panel: Axes, results: Sequence[Result]) -> None:
    scenario = results[0].scenario
    figure = scenario.figures[0]
    values = [result.values[0] for result in results]
    shown = [value if math.isfinite(value) else 0.0 for value in values]
    colours = [_OURS if result.client.name == OURS.name else _PEER for result in results]
    bars = panel.barh([result.client.title for result in results], shown, color=colours, height=0.7)
    panel.bar_label(bars, [f" {figure.text(value)}" for value in values], color=_INK)
    top = max([*shown, figure.goal.bound if figure.goal else 0.0]) or 1.0
    panel.set_xlim(0, top * _HEADROOM)
    if figure.goal is not None:
        panel.axvline(figure.goal.bound, color=_GOAL, linestyle="--", linewidth=1)
    panel.set_ylim(len(bars) - 0.4, -0.6)
    goal = f" (goal: {figure.goal_text})" if figure.goal else ""
    panel.set_title(f"{scenario.title}\n{figure.title}{goal}", loc="left", fontsize=9.5)
    panel.spines[["top", "right", "bottom"]].set_visible(False)
    panel.set_xticks([])
    panel.tick_params(left=False)
