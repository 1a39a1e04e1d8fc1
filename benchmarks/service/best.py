"""The most that anybody could have served under quota, so that an error can be called avoidable.

``most_served`` plays the users against a scheduler that knows every limit and every project, sends first come first
served at the first free place, and keeps a second of margin behind every minute. With equal patience for all no order
serves more.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

MINUTE_S = 60.0
MARGIN_S = 1.0


def most_served(arrivals: Sequence[float], *, places: int, latency_s: float, patience_s: float) -> int:
    """How many users (by time of arrival) can have an answer in time with so many ``places`` in any minute."""
    free_at = [0.0] * places
    served = 0
    for at in arrivals:
        start = max(at, free_at[0])
        if start + latency_s > at + patience_s:
            continue
        heapq.heapreplace(free_at, start + MINUTE_S + MARGIN_S)
        served += 1
    return served
