"""Time to make a pool, by the number of its keys: what a start and ``reset_model_pools()`` wait for.

Figures are milliseconds of wall time, medians over pools made in turns; nothing is asked.
"""

from __future__ import annotations

import statistics
import time

from utils.gemini_pool import GeminiAPIPool

SIZES = (4, 100, 1_000, 10_000)
ROUNDS = 5


def once(keys: int) -> float:
    """Make a pool of so many keys; answers the milliseconds it took."""
    specs = [f"key{number}:AIzaSy{number:033d}" for number in range(keys)]
    begun_at = time.perf_counter()
    GeminiAPIPool(specs)
    return (time.perf_counter() - begun_at) * 1e3


def table() -> list[str]:
    """Rows: by keys."""
    samples: dict[int, list[float]] = {keys: [] for keys in SIZES}
    for _ in range(ROUNDS):
        for keys, taken in samples.items():
            taken.append(once(keys))
    rows = [f"| {keys:,} | {statistics.median(taken):,.1f} ms |" for keys, taken in samples.items()]
    return ["| keys | made in |", "|---|---|", *rows]
