"""Time that passes faster for a whole client, so that two minutes of a scenario take six seconds.

``new_loop`` makes an event loop whose second is ``1 / speed`` of a real one: every sleep, timeout and deadline of a
client that runs in it is shortened alike, its own constants unchanged. ``Wall`` is Unix time at the same speed. What
always holds: ``loop.time()`` is ``time.monotonic() * speed``, so two processes of one machine agree on it; work that
costs CPU is not shortened, which is what limits the speed. Standard library only, since clients from other
environments run in it too.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable


class _ScaledSelector(selectors.DefaultSelector):
    """Waits ``speed`` times shorter than it is told."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for files to be ready, at most ``timeout`` scaled seconds."""
        found: list[tuple[selectors.SelectorKey, int]] = super().select(
            timeout if timeout is None else timeout / self._speed
        )
        return found


class _ScaledLoop(asyncio.SelectorEventLoop):
    """A loop whose clock runs at ``speed``."""

    def __init__(self, speed: float) -> None:
        # the base class asks for the time while it is made
        self._speed = speed
        super().__init__(_ScaledSelector(speed))

    def time(self) -> float:
        """Scaled seconds of the machine's monotonic clock."""
        return time.monotonic() * self._speed


def new_loop(speed: float) -> asyncio.AbstractEventLoop:
    """Make a loop in which ``speed`` seconds pass in a real one; at 1 a usual loop."""
    return asyncio.new_event_loop() if speed == 1 else _ScaledLoop(speed)


class Wall:
    """Unix time that runs at ``speed`` from the moment it is made."""

    def __init__(self, speed: float) -> None:
        # kept, since a client may put this object in the place of time.time
        self._real: Callable[[], float] = time.monotonic
        self._speed = speed
        self._origin, self._real_origin = time.time(), time.monotonic()

    def __call__(self) -> float:
        """Give the scaled Unix time in seconds."""
        return self._origin + (self._real() - self._real_origin) * self._speed
