"""The sandbox's time: it can run faster than the wall's, so that a day of quota passes in a minute.

``SandboxClock`` is shared by both emulators and set by ``PUT /_sandbox/clock``. What always holds: sandbox time never
runs backwards, also when the speed changes.
"""

from __future__ import annotations

import asyncio
import time


class SandboxClock:
    """A clock whose speed can be changed; 1.0 is real time."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._real_origin = time.monotonic()
        self._origin = time.time()

    @property
    def speed(self) -> float:
        """How many sandbox seconds pass in one real second."""
        return self._speed

    def now(self) -> float:
        """Sandbox wall time, in seconds since the Unix epoch."""
        return self._origin + (time.monotonic() - self._real_origin) * self._speed

    def set_speed(self, speed: float) -> None:
        """Change the speed from now on; raises ValueError unless it lies in (0, 10,000]."""
        if not 0 < speed <= 10_000:
            raise ValueError("the speed of time must lie above 0 and at most at 10000")
        self._origin, self._real_origin = self.now(), time.monotonic()
        self._speed = speed

    async def sleep(self, seconds: float) -> None:
        """Sleep for that many sandbox seconds."""
        await asyncio.sleep(max(0.0, seconds) / self._speed)
