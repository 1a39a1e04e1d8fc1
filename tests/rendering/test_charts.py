"""Pictures of numbers: a real PNG, readable on dark and light, in any script, one at a time."""

from __future__ import annotations

import asyncio
import struct
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.rendering import charts_drawing as drawing
from utils.rendering.charts import Charts, Panel, Picture, Series, alt_text, figure, top


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
async def test_every_kind_of_panel_becomes_a_png_of_its_own_size(panel):
    """Also one without numbers; the width is the same for all."""
    drawn = await Charts().draw(lambda _locale: Picture((panel,)), "en-US")
    assert drawn.png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", drawn.png[16:24])
    assert width == 960
    assert height >= 200
    assert len(drawn.png) < 300_000


@pytest.mark.parametrize(
    "name", ["team 金鑰", "ключ", "$x$ and $", "_hidden", "🎉🎉", "a" * 200, "\n\t", "", "\\frac{", "\u202ertl"]
)
async def test_any_name_is_drawn_without_a_warning(name):
    """Names are written by people; what no font has, and what would be a formula, stays harmless."""
    picture = Picture((lying(name, "other"), bars(**{name: (1.0, 2.0)})))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = await Charts().draw(lambda _locale: picture, "en-US")
    assert len(drawn.png) > 1000


@pytest.mark.parametrize("colour", [drawing.TEXT, drawing.QUIET, *drawing.COLOURS])
def test_a_picture_is_readable_on_its_own_background(colour):
    """The background belongs to the picture, so the reader's theme does not matter."""
    assert contrast(colour, drawing.BACKGROUND) >= 4.5


async def test_a_script_without_a_font_is_drawn_in_english(monkeypatch):
    """The picture is built anew for English; its alternative text stays in the reader's language."""
    monkeypatch.setattr(drawing, "has_font_for", lambda text: text.isascii())
    asked = []

    def build(locale: str) -> Picture:
        asked.append(locale)
        return Picture((bars("請求" if locale == "zh-TW" else "Requests", m=(1.0,)),))

    drawn = await Charts().draw(build, "zh-TW")
    assert asked == ["zh-TW", "en"]
    assert drawn.alt_text == "請求: m 1"
    asked.clear()
    await Charts().draw(build, "en-US")
    assert asked == ["en-US"]


async def test_two_pictures_at_once_are_drawn_one_after_the_other(monkeypatch):
    """The library is not made for two threads at once."""
    running = most = 0
    real = drawing.draw

    def watched(picture: Picture) -> bytes:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return real(picture)
        finally:
            running -= 1

    monkeypatch.setattr(drawing, "draw", watched)
    charts = Charts()
    await asyncio.gather(*[charts.draw(lambda _locale: Picture((bars(m=(1.0, 2.0)),)), "en-US") for _ in range(3)])
    assert most == 1


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
