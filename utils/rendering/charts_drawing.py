"""How a picture looks: drawn by matplotlib's own objects and Agg, without its global state.

``draw`` makes a PNG of a ``charts.Picture``; ``has_font_for`` says whether this machine can write a text. A picture is
a card with a background of its own, so it can be read on Discord's dark and light alike; its letters are large enough
for a phone, where a picture is as wide as the screen. What always holds: letters that no font has become ``?``; colours
differ in lightness too, and the legend stands in the order of the stack. Nothing here is made for two threads at once.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import cache

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from utils.rendering.charts import Panel, Picture, Series, figure

BACKGROUND = "#2a2d35"
TEXT = "#eceef2"
QUIET = "#b3b9c4"
GRID = "#474c58"
#: Told apart also by those who see few colours; on the background each has a contrast of 4.5 and more.
COLOURS = ("#6cb4f5", "#f5a65b", "#7ad694", "#f2e27a", "#e48bc0", "#ef7d63", "#b3a2f7", "#55c7c7", "#a9afba")

_WIDTH_IN = 6.4
_PANEL_IN = 3.2
_LYING_ROW_IN = 0.38
_LYING_FRAME_IN = 1.5
_DPI = 150
_SIZE = 14
_LONGEST_NAME = 24

_CJK_FONTS = (
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Noto Sans CJK JP",
    "PingFang TC",
    "Microsoft JhengHei",
    "Malgun Gothic",
    "Source Han Sans TC",
    "WenQuanYi Zen Hei",
)
_LATIN = "DejaVu Sans"


def draw(picture: Picture) -> bytes:
    """Draw a picture; gives the bytes of a PNG file."""
    heights = [_height(panel) for panel in picture.panels]
    drawn = Figure(figsize=(_WIDTH_IN, sum(heights)), dpi=_DPI, facecolor=BACKGROUND)
    drawn.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.14))
    FigureCanvasAgg(drawn)
    grid = drawn.add_gridspec(len(heights), 1, height_ratios=heights)
    for row, panel in enumerate(picture.panels):
        axes = drawn.add_subplot(grid[row])
        _style(axes, panel)
        _DRAW[panel.kind](axes, panel)
    file = io.BytesIO()
    drawn.savefig(file, format="png", facecolor=BACKGROUND, metadata={"Software": None})
    return file.getvalue()


def draw_readable(picture: Picture, in_english: Picture) -> bytes:
    """Draw a picture, or the same in English where this machine has no letters for its titles."""
    titles = "".join(panel.title for panel in picture.panels)
    return draw(picture if has_font_for(titles) else in_english)


def has_font_for(text: str) -> bool:
    """Tell whether every letter of a text can be written."""
    return all(_is_written(letter) for letter in text)


def _height(panel: Panel) -> float:
    if panel.kind != "lying":
        return _PANEL_IN
    return _LYING_FRAME_IN + _LYING_ROW_IN * max(2, len(panel.axis))


def _style(axes: Axes, panel: Panel) -> None:
    axes.set_facecolor(BACKGROUND)
    axes.set_title(_plain(panel.title), fontproperties=_font(_SIZE + 1), color=TEXT, loc="left")
    for spine in axes.spines.values():
        spine.set_visible(False)
    numbers = axes.xaxis if panel.kind == "lying" else axes.yaxis
    numbers.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, length=0, labelsize=_SIZE - 1)
    whole = panel.kind == "bars"
    numbers.set_major_locator(MaxNLocator(nbins=4, integer=whole, min_n_ticks=2))
    numbers.set_major_formatter(FuncFormatter(lambda value, _place: f"{figure(value)}{panel.unit}"))


def _draw_bars(axes: Axes, panel: Panel) -> None:
    places = range(len(panel.series[0].values)) if panel.series else range(0)
    bottoms = [0.0] * len(places)
    for number, series in enumerate(panel.series):
        values = [value or 0.0 for value in series.values]
        axes.bar(places, values, bottom=bottoms, width=0.86, color=_colour(number), label=_name(series.name))
        bottoms = [bottom + value for bottom, value in zip(bottoms, values, strict=True)]
    axes.set_ylim(0, max([*bottoms, 1.0]) * 1.08)
    _time_axis(axes, panel, len(places))
    _legend(axes, panel.series)


def _draw_lines(axes: Axes, panel: Panel) -> None:
    count = len(panel.series[0].values) if panel.series else 0
    for number, series in enumerate(panel.series):
        values = [math.nan if value is None else value for value in series.values]
        # a mark at each value: one that stands alone would draw no line
        axes.plot(range(count), values, color=_colour(number), linewidth=2, marker="o", markersize=4.5)
        axes.lines[-1].set_label(_name(series.name))
    highest = max((value for series in panel.series for value in series.values if value is not None), default=0.0)
    axes.set_ylim(0, (highest or 1.0) * 1.15)
    _time_axis(axes, panel, count)
    _legend(axes, panel.series)


def _draw_lying(axes: Axes, panel: Panel) -> None:
    places = list(range(len(panel.axis)))
    ends = [0.0] * len(places)
    for number, series in enumerate(panel.series):
        values = [value or 0.0 for value in series.values]
        axes.barh(places, values, left=ends, height=0.66, color=_colour(number), label=_name(series.name))
        ends = [end + value for end, value in zip(ends, values, strict=True)]
    largest = max([*ends, 0.0]) or 1.0
    for place, end in zip(places, ends, strict=True):
        text = f" {figure(end)}{panel.unit}"
        axes.text(end, place, text, va="center", fontproperties=_font(_SIZE - 1), color=TEXT)
    axes.set_xlim(0, largest * 1.16)
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.set_yticks(places, [_name(name) for name in panel.axis], fontproperties=_font(_SIZE - 1), color=TEXT)
    _legend(axes, panel.series)


_DRAW = {"bars": _draw_bars, "lines": _draw_lines, "lying": _draw_lying}


def _time_axis(axes: Axes, panel: Panel, count: int) -> None:
    axes.set_xlim(-0.6, max(count, 1) - 0.4)
    steps = max(1, len(panel.axis) - 1)
    ends = [place * max(count, 1) / steps - 0.5 for place in range(len(panel.axis))]
    labels = axes.set_xticks(ends, [_plain(name) for name in panel.axis], fontproperties=_font(_SIZE - 1), color=QUIET)
    if labels:
        axes.get_xticklabels()[0].set_horizontalalignment("left")
        axes.get_xticklabels()[-1].set_horizontalalignment("right")


def _legend(axes: Axes, series: Sequence[Series]) -> None:
    if not any(one.name for one in series):
        return
    legend = axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.14),
        ncols=2 if max(len(one.name) for one in series) > 10 else 4,
        frameon=False,
        prop=_font(_SIZE - 1),
        labelcolor=TEXT,
        handlelength=1,
        handleheight=1,
        columnspacing=1.2,
    )
    legend.set_in_layout(True)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _name(text: str) -> str:
    plain = _plain(text)
    # an underscore at its beginning would keep a name out of the legend
    plain = plain.lstrip("_") or "?" if plain else plain
    return plain if len(plain) <= _LONGEST_NAME else plain[: _LONGEST_NAME - 1] + "…"


def _plain(text: str) -> str:
    # a dollar sign would begin a formula
    return "".join(letter if _is_written(letter) else "?" for letter in text).replace("$", "\\$")


def _is_written(letter: str) -> bool:
    return any(ord(letter) in letters for letters in _letters())


@cache
def _families() -> tuple[str, ...]:
    known = {font.name for font in fontManager.ttflist}
    return (_LATIN, *[name for name in _CJK_FONTS if name in known][:2])


@cache
def _letters() -> tuple[frozenset[int], ...]:
    files = [fontManager.findfont(FontProperties(family=family)) for family in _families()]
    return tuple(frozenset(get_font(file).get_charmap()) for file in files)


def _font(size: float) -> FontProperties:
    return FontProperties(family=list(_families()), size=size)
