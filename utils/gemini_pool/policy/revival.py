"""When a dead key is asked again, for free, whether it is alive after all.

``Revivals`` gives every dead key its own time, once in ``dead_probe_s`` counted from its death, so that a restart
neither asks at once nor forgets. What always holds: a key is due at most once in that time; a wall clock that jumps
moves nothing that was reckoned already. How a key is asked and what follows is ``caretaker``'s.
"""

from __future__ import annotations

from collections.abc import Sequence

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.keys import Death, Key


class Revivals:
    """The next probe of every dead key."""

    __slots__ = ("_at", "_every_s")

    def __init__(self, config: PoolConfig) -> None:
        self._every_s = config.dead_probe_s
        #: By fingerprint: the death that is meant, and when (the clock's seconds) the key is asked next.
        self._at: dict[str, tuple[Death, float]] = {}

    def due(self, keys: Sequence[Key], now: float, wall: float) -> list[Key]:
        """Give the keys to be asked now; each is taken as asked. ``wall``: Unix seconds."""
        if self._every_s <= 0:
            return []
        before, self._at = self._at, {}
        due = []
        for key in keys:
            if key.dead is None:
                continue
            known = before.get(key.fingerprint)
            at = known[1] if known is not None and known[0] == key.dead else now + self._first_in(key.dead, wall)
            if now >= at:
                due.append(key)
                at = now + self._every_s
            self._at[key.fingerprint] = (key.dead, at)
        return due

    def _first_in(self, death: Death, wall: float) -> float:
        """Seconds to the first probe this process makes: the age of the death is in whole rounds by then."""
        return self._every_s - max(0.0, wall - death.since) % self._every_s
