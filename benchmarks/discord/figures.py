"""What is made of many measurements: percentiles, and the lag of an event loop.

``LoopLag`` wakes up every 10 ms and notes how much later than that it was woken; what always holds: it measures the
loop it runs in, and costs that loop less than one percent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

_EVERY_S = 0.01


@dataclass(frozen=True, slots=True)
class Spread:
    """How measurements lie: the middle one, the 99th percentile, the largest (all in the unit of what was measured)."""

    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sort them and look; raises ValueError where there are none."""
        if not values:
            raise ValueError("nothing was measured")
        ordered = sorted(values)
        return cls(percentile(ordered, 0.5), percentile(ordered, 0.99), ordered[-1])


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the smallest value that at least this share of all does not exceed."""
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


class LoopLag:
    """How late the running loop wakes up who sleeps, and what the process computes meanwhile."""

    def __init__(self) -> None:
        self._lags: list[float] = []
        self._begun = (time.perf_counter(), time.process_time())
        self._task = asyncio.create_task(self._watch(), name="loop-lag")

    def begin(self) -> None:
        """Forget what was measured so far."""
        self._lags.clear()
        self._begun = (time.perf_counter(), time.process_time())

    def lags_ms(self) -> list[float]:
        """Give what was measured since ``begin``, in milliseconds."""
        return [lag * 1000 for lag in self._lags]

    def cpu_share(self) -> float:
        """Give how much of one core the process has used since ``begin``."""
        wall, cpu = self._begun
        return (time.process_time() - cpu) / (time.perf_counter() - wall)

    def end(self) -> None:
        """Watch no more."""
        self._task.cancel()

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY_S
            await asyncio.sleep(_EVERY_S)
            self._lags.append(max(0.0, loop.time() - due))
