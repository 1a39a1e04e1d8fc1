"""Pictures of numbers: a real PNG, readable on dark and light, in any script, one at a time."""

from __future__ import annotations

import asyncio
import functools
import struct
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.rendering import charts_drawing as drawing
from utils.rendering.charts import Charts, DrawingError, Panel, Picture, Series, alt_text, figure, top


def bars(title: str = "Requests", /, **more: tuple[float | None, ...]) -> Panel:
    series = tuple(Series(name, values) for name, values in more.items())
    return Panel(title, "bars", series, ("-1 h", "now"))


def lying(*names: str) -> Panel:
    return Panel("Errors", "lying", (Series("quota", tuple(float(n) for n in range(len(names)))),), names)


def luminance(colour: str) -> float:
    """Relative luminance (https://www.w3.org/TR/WCAG21/#dfn-relative-luminance)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    "panel",
    [
        bars(a=(1.0, 2.0, None), b=(0.0, 5.0, 1.0)),
        bars(),
        Panel("Time", "lines", (Series("m", (None, 1.5, None)),), ("-1 h", "now"), " s"),
        Panel("Time", "lines", (), ("-1 h", "now"), " s"),
        lying("Key #1", "Key #2"),
        lying(),
    ],
)
def test_every_kind_of_panel_becomes_a_png_of_its_own_size(panel):
    """Also one without numbers; the width is the same for all."""
    png = drawing.draw(Picture((panel,)))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width == 960
    assert height >= 200
    assert len(png) < 300_000


@pytest.mark.parametrize(
    "name", ["team 金鑰", "ключ", "$x$ and $", "_hidden", "🎉🎉", "a" * 200, "\n\t", "", "\\frac{", "\u202ertl"]
)
def test_any_name_is_drawn_without_a_warning(name):
    """Names are written by people; what no font has, and what would be a formula, stays harmless."""
    picture = Picture((lying(name, "other"), bars(**{name: (1.0, 2.0)})))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png = drawing.draw(picture)
    assert len(png) > 1000


@pytest.mark.parametrize("colour", [drawing.TEXT, drawing.QUIET, *drawing.COLOURS])
def test_a_picture_is_readable_on_its_own_background(colour):
    """The background belongs to the picture, so the reader's theme does not matter."""
    assert contrast(colour, drawing.BACKGROUND) >= 4.5


def test_a_script_without_a_font_is_drawn_in_english(monkeypatch):
    """What no font has letters for is never drawn as boxes."""
    chinese, english = Picture((bars("請求", m=(1.0,)),)), Picture((bars("Requests", m=(1.0,)),))
    monkeypatch.setattr(drawing, "has_font_for", lambda text: text.isascii())
    assert drawing.draw_readable(chinese, english) == drawing.draw(english)
    monkeypatch.setattr(drawing, "has_font_for", lambda _text: True)
    assert drawing.draw_readable(english, chinese) == drawing.draw(english)


async def test_one_process_draws_for_all_is_told_no_secret_and_ends_when_idle(monkeypatch):
    """Each asker gets the own picture, with the words of the reader's language."""

    def build(number: int, locale: str) -> Picture:
        return Picture((bars("Requests" if locale == "en" else "Anfragen", m=(float(number), 2.0)),))

    monkeypatch.setenv("DISCORD_TOKEN", "canary")
    charts = Charts(idle_s=0.5)
    drawn = await asyncio.gather(*[charts.draw(functools.partial(build, number), "de") for number in range(2)])
    worker, leaving = charts._worker, charts._leaving
    assert worker is not None
    environment = await asyncio.to_thread(Path(f"/proc/{worker.pid}/environ").read_bytes)
    assert b"canary" not in environment
    expected = [await asyncio.to_thread(drawing.draw, build(number, "de")) for number in range(2)]
    assert [one.png for one in drawn] == expected
    assert [one.alt_text for one in drawn] == ["Anfragen: m 2", "Anfragen: m 3"]
    assert leaving is not None
    await leaving
    assert worker.returncode == 0
    await charts.aclose()


async def test_a_worker_that_was_killed_is_an_error_once_and_replaced():
    charts = Charts()
    await charts.draw(lambda _locale: Picture((bars(m=(1.0,)),)), "en")
    assert charts._worker is not None
    charts._worker.kill()
    with pytest.raises(DrawingError):
        await charts.draw(lambda _locale: Picture((bars(m=(1.0,)),)), "en")
    assert (await charts.draw(lambda _locale: Picture((bars(m=(1.0,)),)), "en")).png
    await charts.aclose()


def test_what_is_too_much_is_gathered_under_one_name():
    """The largest stay, the rest is added up place by place."""
    series = [Series("a", (1.0, None)), Series("b", (5.0, 5.0)), Series("c", (2.0, 1.0)), Series("d", (0.0, 1.0))]
    shown = top(series, 2, "others")
    assert [one.name for one in shown] == ["b", "c", "others"]
    assert shown[2].values == (1.0, 1.0)
    assert top(series[:2], 2, "others") == (series[1], series[0])


def test_the_alternative_text_says_sums_and_means():
    """Whoever cannot see a picture gets the same numbers, within what Discord takes."""
    lines = Panel("Time", "lines", (Series("m", (1.0, None, 2.0)),), (), " s")
    assert alt_text(Picture((bars(a=(1.0, 2.0)), lines, lying("k", "l")))) == (
        "Requests: a 3; Time: m 1.5 s; Errors: k 0, l 1"
    )
    assert len(alt_text(Picture((lying(*[f"key {n}" * 9 for n in range(99)]),)))) <= 1000


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7, "7"), (1.5, "1.5"), (9.96, "10"), (950.4, "950"), (9999, "9999"), (12_345, "12k"), (3.4e6, "3.4M")],
)
def test_numbers_are_short(value, text):
    """A phone has no room for more."""
    assert figure(value) == text


@given(st.floats(min_value=0, max_value=9.9e11, allow_nan=False))
def test_no_number_is_longer_than_five_characters(value):
    """Columns and axes are made for that."""
    assert len(figure(value)) <= 5
