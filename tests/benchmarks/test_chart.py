"""The picture of the results."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.service.clients import OURS, SDK
from benchmarks.service.running import Result
from benchmarks.service.scenarios import SCENARIOS


def test_the_picture_is_a_png_whatever_the_figures_are(tmp_path: Path) -> None:
    """Figures that could not be taken, or are infinite, are drawn as nothing and still named."""
    pytest.importorskip("matplotlib")
    from benchmarks.service.chart import draw  # noqa: PLC0415  # needs the library that may be missing

    values = (1.0, math.nan, math.inf)
    results = [
        Result(scenario, client, (values[number % 3],) * len(scenario.figures), 20.0)
        for number, scenario in enumerate(SCENARIOS)
        for client in (OURS, SDK)
    ]
    draw(results, tmp_path / "scenarios.png")
    content = (tmp_path / "scenarios.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) > 20_000
