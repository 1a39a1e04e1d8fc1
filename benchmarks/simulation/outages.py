"""The figures of a time in which the whole service failed: what was sent into it, and how service came back.

``figures`` reads what a ``Recorder`` has kept, when the run is over. Times are seconds since the scenario's start. What
it answers is infinity for an answer that never came, NaN for everything where the scenario has no such time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

FIGURES = ("outage_calls", "first_success_s", "available_after", "available_soon", "last_served", "peak_after")
#: "Soon" after the end, the last part of the outage, and the time after it in which calls are counted, by this bin.
_SOON_S = 3.0
_LAST_S = 30.0
_AFTER_S = 120.0
_BIN_S = 3.0


def figures(
    window: tuple[float, float] | None,
    asked: Sequence[float],
    began: Sequence[float],
    served: Sequence[tuple[float, float]],
) -> dict[str, float]:
    """Give the figures of an outage from ``window[0]`` to ``window[1]``; ``served``: when asked, when answered.

    ``outage_calls``: calls begun in it for each request asked in it. ``first_success_s``: from its end to the first
    answer; ``available_after``: requests answered of those asked from then on, in percent; ``available_soon``: of those
    asked from 3 s after its end on; ``last_served``: of those asked in its last 30 s. ``peak_after``: most calls begun
    in any 3 s of the two minutes after it, as a multiple of the requests usually asked in that time.
    """
    if window is None or math.isinf(window[1]):
        return dict.fromkeys(FIGURES, math.nan)
    start, end = window
    first = min((at for _, at in served if at >= end), default=math.inf)
    answered = Counter(at for at, _ in served)
    after = Counter(int((at - end) // _BIN_S) for at in began if end <= at < end + _AFTER_S)
    usual = len(asked) * _BIN_S / (max(asked) - min(asked)) if len(asked) > 1 else math.nan
    return {
        "outage_calls": _ratio(_within(began, start, end), _within(asked, start, end)),
        "first_success_s": first - end,
        "available_after": _answered(asked, answered, first, math.inf),
        "available_soon": _answered(asked, answered, end + _SOON_S, math.inf),
        "last_served": _answered(asked, answered, max(start, end - _LAST_S), end),
        "peak_after": max(after.values(), default=0) / usual,
    }


def _within(times: Sequence[float], start: float, end: float) -> int:
    return sum(start <= at < end for at in times)


def _answered(asked: Sequence[float], answered: Counter[float], start: float, end: float) -> float:
    count = _within(asked, start, end)
    return 100.0 * sum(many for at, many in answered.items() if start <= at < end) / count if count else 100.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.inf
