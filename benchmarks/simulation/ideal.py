"""How many of the requests of a run could have been served at all, with every quota place used as soon as it is free.

``most_served`` plays the run with hindsight of nothing but who waits: whenever a place of a project is free, the
request that must begin first takes it; what it cannot serve cannot be blamed on the rules. Places are counted as the
pool counts them, a place being free ``length_s`` after it was taken. Calls take no time here, and none fails.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable


def most_served(requests: Iterable[tuple[float, float]], places: int, length_s: float) -> int:
    """Count the requests that could begin in time, each given as (asked at, must begin by), in seconds.

    ``places``: how many may begin within ``length_s`` seconds, over all projects.
    """
    free = [0.0] * places
    waiting: list[float] = []
    served = 0
    for asked_at, begin_by in sorted(requests):
        served += _serve(free, waiting, length_s, until=asked_at)
        if free[0] <= asked_at:
            heapq.heapreplace(free, asked_at + length_s)
            served += 1
        else:
            heapq.heappush(waiting, begin_by)
    return served + _serve(free, waiting, length_s, until=math.inf)


def _serve(free: list[float], waiting: list[float], length_s: float, *, until: float) -> int:
    """Give the places that come free by then to those who wait, the most urgent first; counts them."""
    served = 0
    while waiting and free[0] <= until:
        if heapq.heappop(waiting) >= free[0]:
            heapq.heapreplace(free, free[0] + length_s)
            served += 1
    return served
