"""Pictures of numbers as PNG files: what a picture shows as frozen facts, and drawing it off the event loop.

``Picture`` is one or two ``Panel``s under each other; a panel shows ``Series`` as bars over time, lines over time, or
lying bars. ``Charts.draw`` makes the PNG; how it looks is ``charts_drawing``'s, the only module that loads
matplotlib, when the first picture is drawn. What always holds: one picture is drawn at a time, since matplotlib is not
made for threads (https://matplotlib.org/stable/users/faq.html#work-with-threads); labels in a script that no font of
this machine has are drawn in English, never as boxes; whoever cannot see the picture gets the same sums from
``alt_text``. What the numbers are is the caller's business.
"""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

_LONGEST_ALT = 1000

PanelKind = Literal["bars", "lines", "lying"]


@dataclass(frozen=True, slots=True)
class Series:
    """One thing's numbers, one for each place of the panel's axis; None: there was nothing to measure."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of axes.

    ``bars`` (stacked) and ``lines`` stand over time: ``axis`` names some places of it, the first at its start and the
    last at its end, evenly apart. ``lying`` has one (stacked) bar for each name in ``axis``. ``unit`` follows the
    numbers (`` s``, or nothing).
    """

    title: str
    kind: PanelKind
    series: tuple[Series, ...]
    axis: tuple[str, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """What one file shows, from top to bottom."""

    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A PNG file's bytes, and what it shows in words."""

    png: bytes
    alt_text: str


class Charts:
    """Draws pictures, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def draw(self, build: Callable[[str], Picture], locale: str) -> Drawn:
        """Draw what ``build`` makes for a locale, in a thread, where ``build`` may be called again for English."""
        return await asyncio.to_thread(self._draw, build, locale)

    def _draw(self, build: Callable[[str], Picture], locale: str) -> Drawn:
        picture = build(locale)
        with self._lock:
            # loads matplotlib, which takes its time and belongs into a thread
            drawing = importlib.import_module("utils.rendering.charts_drawing")
            words = "".join(panel.title for panel in picture.panels)
            shown = picture if drawing.has_font_for(words) else build("en")
            return Drawn(drawing.draw(shown), alt_text(picture))


def top(series: Sequence[Series], most: int, rest_name: str) -> tuple[Series, ...]:
    """Give the ``most`` largest series by their sums, the largest first, and all others as one under ``rest_name``."""
    ordered = sorted(series, key=lambda one: (-_total(one), one.name))
    if len(ordered) <= most:
        return tuple(ordered)
    rest = zip(*(one.values for one in ordered[most:]), strict=True)
    sums = tuple(sum(value or 0.0 for value in values) for values in rest)
    return (*ordered[:most], Series(rest_name, sums))


def alt_text(picture: Picture) -> str:
    """Say in words what a picture shows: of each series its sum, its mean where it is a line."""
    text = "; ".join(_panel_text(panel) for panel in picture.panels)
    return text if len(text) <= _LONGEST_ALT else text[: _LONGEST_ALT - 1] + "…"


def _panel_text(panel: Panel) -> str:
    if panel.kind == "lying":
        sums = [sum(one.values[place] or 0.0 for one in panel.series) for place in range(len(panel.axis))]
        said = [f"{name} {figure(value)}{panel.unit}" for name, value in zip(panel.axis, sums, strict=True)]
    else:
        said = [f"{one.name} {figure(_summed_up(one, panel.kind))}{panel.unit}" for one in panel.series]
    return f"{panel.title}: {', '.join(said)}"


def _summed_up(series: Series, kind: PanelKind) -> float:
    if kind != "lines":
        return _total(series)
    measured = [value for value in series.values if value is not None]
    return sum(measured) / len(measured) if measured else 0.0


def _total(series: Series) -> float:
    return sum(value or 0.0 for value in series.values)


def figure(value: float) -> str:
    """Write a number in at most five characters: ``7``, ``1.5``, ``950``, ``12k``, ``3.4M``."""
    for limit, divisor, letter in ((1e4, 1.0, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M"), (1e12, 1e9, "G")):
        if abs(value) < limit:
            scaled = value / divisor
            # one digit after the point says enough below ten, and none above
            text = f"{scaled:.1f}" if abs(scaled) < 9.95 and scaled != int(scaled) else f"{scaled:.0f}"
            return text.removesuffix(".0") + letter
    return f"{value:.0e}"
