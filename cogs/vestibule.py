"""Who comes in is greeted before who is in already is served.

Discord takes an interaction back that is not acknowledged within three seconds
(https://docs.discord.com/developers/interactions/receiving-and-responding). An acknowledgement costs little and what
follows it costs much, so where hundreds come at once, each is acknowledged before the work for any of them begins.
``Vestibule`` is told of each interaction when it comes (``enter``) and asked by whoever is about to begin work
(``calm``). What always holds: without interactions to acknowledge nobody waits; nobody waits longer than
``patience_s``; nothing is held of an interaction that was acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

_PATIENCE_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.02
#: So many can be served side by side without anybody's acknowledgement being late.
_FEW: Final = 4


class Vestibule:
    """The interactions that were not acknowledged yet; serves one event loop."""

    def __init__(self, *, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._coming: list[Callable[[], bool]] = []
        self._watching: asyncio.Task[None] | None = None

    def enter(self, is_acknowledged: Callable[[], bool]) -> None:
        """Take note of an interaction that has just come; from then on it is asked whether it is acknowledged."""
        self._coming.append(is_acknowledged)

    @property
    def is_crowded(self) -> bool:
        """Whether more than a few have come and are not acknowledged yet."""
        self._forget_acknowledged()
        return len(self._coming) > _FEW

    async def calm(self) -> None:
        """Wait until all are acknowledged that have come."""
        if not self._coming:
            return
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="vestibule")
        await asyncio.wait({self._watching}, timeout=self._patience_s)

    async def _watch(self) -> None:
        """Look for all who wait; an interaction that is never acknowledged is forgotten in time."""
        until = asyncio.get_running_loop().time() + self._patience_s
        while self._coming and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(_LOOK_EVERY_S)
            self._forget_acknowledged()
        self._coming.clear()

    def _forget_acknowledged(self) -> None:
        self._coming = [is_acknowledged for is_acknowledged in self._coming if not is_acknowledged()]
