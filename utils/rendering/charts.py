"""Pictures of numbers as PNG files: what a picture shows as frozen facts, and having it drawn by another process.

``Picture`` is one or two ``Panel``s under each other; a panel shows ``Series`` as bars over time, lines over time, or
lying bars. ``Charts.draw`` has the PNG made by ``charts_worker``, a process that is started for the first picture and
ends after some idle minutes; how it looks is ``charts_drawing``'s, the only module that loads matplotlib. In a thread
loading would hold up the bot's event loop by more than 100 ms, and so would drawing. What always holds: one picture is
drawn at a time; the worker is told no secret of the environment; labels in a script that no font of this machine has
are drawn in English, never as boxes; whoever cannot see the picture gets the same sums from ``alt_text``. What the
numbers are is the caller's business. Errors: DrawingError.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_LONGEST_ALT = 1000
_ROOT = Path(__file__).resolve().parent.parent.parent
#: What a process needs to run and matplotlib to find its folders; everything else, secrets first, stays here.
_ENVIRONMENT = frozenset(
    {"APPDATA", "HOME", "LOCALAPPDATA", "MPLCONFIGDIR", "PATH", "SYSTEMROOT", "TEMP", "TMPDIR", "USERPROFILE"}
    | {"XDG_CACHE_HOME", "XDG_CONFIG_HOME"}
)
_IDLE_S = 300.0
_DRAW_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 5.0
SIZE_BYTES = 4


class DrawingError(Exception):
    """A picture could not be drawn."""


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
    """Has pictures drawn, one at a time; close it. ``idle_s``: how long the worker outlives its last picture."""

    def __init__(self, *, idle_s: float = _IDLE_S) -> None:
        self._idle_s = idle_s
        self._lock = asyncio.Lock()
        self._worker: asyncio.subprocess.Process | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def draw(self, build: Callable[[str], Picture], locale: str) -> Drawn:
        """Have drawn what ``build`` makes for a locale, or for English where its letters cannot be written.

        :raises DrawingError: the worker could not be started, or ended before it had drawn.
        """
        picture = build(locale)
        wish = pickle.dumps((picture, build("en")))
        async with self._lock:
            self._stay()
            try:
                async with asyncio.timeout(_DRAW_TIMEOUT_S):
                    png = await self._drawn(wish)
            except BaseException as error:
                # what it would still say belongs to a picture that nobody waits for any more
                await self._end()
                if isinstance(error, OSError | EOFError):
                    raise DrawingError(f"no picture came of it ({type(error).__name__})") from error
                raise
            self._leaving = asyncio.create_task(self._leave(), name="charts-idle")
        return Drawn(png, alt_text(picture))

    async def aclose(self) -> None:
        """End the worker."""
        async with self._lock:
            self._stay()
            await self._end()

    async def _drawn(self, wish: bytes) -> bytes:
        worker = self._worker or await self._start()
        if worker.stdin is None or worker.stdout is None:
            raise EOFError
        worker.stdin.write(len(wish).to_bytes(SIZE_BYTES) + wish)
        await worker.stdin.drain()
        size = int.from_bytes(await worker.stdout.readexactly(SIZE_BYTES))
        return await worker.stdout.readexactly(size)

    async def _start(self) -> asyncio.subprocess.Process:
        self._worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "utils.rendering.charts_worker",
            cwd=_ROOT,
            env={name: value for name, value in os.environ.items() if name.upper() in _ENVIRONMENT},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return self._worker

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    async def _leave(self) -> None:
        await asyncio.sleep(self._idle_s)
        async with self._lock:
            await self._end()

    async def _end(self) -> None:
        """Let the worker end by the end of its input, or kill it where it does not listen."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.stdin is not None:
            worker.stdin.close()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await worker.communicate()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
            await worker.communicate()


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
