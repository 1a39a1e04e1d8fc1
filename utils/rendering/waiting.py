"""One sentence for somebody who waits: their place in the line, and when their turn comes.

``waiting_sentence`` says it; the time is a Discord timestamp, which counts down by itself wherever it is read, so that
the sentence changes only when the estimate does. What always holds: a place is said only where there is one, a time
only where it is known, and never an earlier one than was estimated; an obstacle without words of its own is passed
over.
"""

from __future__ import annotations

import math
from typing import Final

from utils.i18n import translate

#: Estimates are told in steps of so many seconds, lest every little change be shown.
STEP_S: Final = 5

_OBSTACLES: Final = frozenset({"own_answer", "quota", "overloaded", "faults"})


def waiting_sentence(
    locale: str, *, place: int, estimate_s: float | None, obstacle: str | None, now: float
) -> str | None:
    """Say what somebody waits for, in small print; None: there is nothing to tell. ``now`` is unix seconds.

    ``place`` 1 is next, 0: not in the line; ``obstacle`` is the pool's word for what is in the way, or ``own_answer``.
    """
    if place > 0 and estimate_s is not None and math.isfinite(estimate_s):
        at = math.ceil((now + max(0.0, estimate_s)) / STEP_S) * STEP_S
        text = translate("waiting.place_when", locale, place=place, when=f"<t:{at}:R>")
    elif place > 0:
        text = translate("waiting.place", locale, place=place)
    elif obstacle in _OBSTACLES:
        text = translate(f"waiting.{obstacle}", locale)
    else:
        return None
    return f"-# \N{HOURGLASS WITH FLOWING SAND} {text}"
