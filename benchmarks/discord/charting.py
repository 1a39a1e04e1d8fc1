"""What a chart costs the loop that asks for it: how long the first and the later ones take, and the loop's lag."""

from __future__ import annotations

import time

from benchmarks.discord.figures import LoopLag, Spread
from utils.rendering.charts import Charts, Panel, Picture, Series

_HOURS, _SERIES = 24, 6
_LATER = 5


def picture(_locale: str) -> Picture:
    """Two panels of six series over a day, as ``/pool-stats`` shows them."""
    series = tuple(
        Series(f"gemini-{number}", tuple(float(hour * number % 7) for hour in range(_HOURS)))
        for number in range(1, _SERIES + 1)
    )
    axis = ("24 h", "18 h", "12 h", "6 h", "now")
    return Picture((Panel("Requests", "bars", series, axis), Panel("Errors", "bars", series, axis)))


async def chart_rows() -> list[str]:
    """Draw a first and some later charts; gives the rows of a table."""
    lag, charts = LoopLag(), Charts()
    rows = []
    for name, count in (("the first", 1), (f"the {_LATER} after it, each", _LATER)):
        lag.begin()
        begun = time.perf_counter()
        for _ in range(count):
            await charts.draw(picture, "en")
        seconds = (time.perf_counter() - begun) / count
        late = Spread.of(lag.lags_ms())
        rows.append(f"| {name} | {seconds:.2f} s | {late.p99:.0f} ms | {late.most:.0f} ms |")
    await charts.aclose()
    lag.end()
    return rows
