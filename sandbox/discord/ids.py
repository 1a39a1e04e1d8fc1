"""Snowflakes: Discord's ids, which carry the time of their making.

``Snowflakes`` makes them from the sandbox's clock; what always holds: every id is larger than all made before it, and
the ids of the first world depend on the seed alone, so that a bot's database still fits after a restart.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.clock import SandboxClock

_EPOCH_MS = 1_420_070_400_000
_WORLD_MS = 1_704_067_200_000


class Snowflakes:
    """Makes ids as decimal strings, the way Discord's JSON carries them."""

    def __init__(self, clock: SandboxClock, seed: int) -> None:
        self._clock = clock
        self._worker = seed % 1024
        self._last = 0
        self._world = 0

    def fixed(self) -> str:
        """Return the next id of the first world: the same row of ids for the same seed."""
        self._world += 1
        return str(((_WORLD_MS - _EPOCH_MS) << 22) | (self._worker << 12) | self._world)

    def next(self) -> str:
        """Return an id of now."""
        now = (int(self._clock.now() * 1000) - _EPOCH_MS) << 22 | (self._worker % 32) << 17
        self._last = max(self._last + 1, now)
        return str(self._last)


def made_at(snowflake: str) -> float:
    """When an id was made, in seconds since the Unix epoch."""
    return ((int(snowflake) >> 22) + _EPOCH_MS) / 1000


def stamp(seconds: float) -> str:
    """Write an instant the way Discord does: ISO 8601 with microseconds and offset."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
