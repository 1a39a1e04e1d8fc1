"""Row ids that are known before the row is written.

``IdSource`` makes them: 41 bits of milliseconds since 2020, then 22 random bits. A codec can bind a row's bytes to its
id before the insert, as no database-made number allows. Time comes first so that new rows are appended to the table
and its indexes instead of being strewn over them, and so that the order of ids is the order in which rows were made.
What always holds: ids of one source grow strictly, whatever the wall clock does, and stay below 2**63. ``floor`` (the
largest id already stored) carries that over restarts. Two processes on one server differ by the random bits.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

_EPOCH_MS = 1_577_836_800_000
_RANDOM_BITS = 22
_LAST_MS = (1 << 41) - 2


def first_id_at(wall: float) -> int:
    """Give the smallest id of rows that are made at ``wall`` (unix seconds) or later."""
    return min(max(int(wall * 1000) - _EPOCH_MS, 0), _LAST_MS) << _RANDOM_BITS


class IdSource:
    """Makes 63-bit ids that grow; ``wall`` gives unix seconds, ``random_bits(n)`` n random bits."""

    __slots__ = ("_last", "_random_bits", "_wall")

    def __init__(
        self, wall: Callable[[], float], *, floor: int = 0, random_bits: Callable[[int], int] = secrets.randbits
    ) -> None:
        self._wall = wall
        self._random_bits = random_bits
        self._last = floor

    def __call__(self) -> int:
        """Give the next id."""
        made = first_id_at(self._wall()) | self._random_bits(_RANDOM_BITS)
        self._last = max(made, self._last + 1)
        return self._last
