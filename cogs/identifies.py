"""How often the bot may begin a gateway session: never more than a thousand times a day, however often it crashes.

Discord takes a bot's token away that identifies more than 1,000 times in 24 hours
(https://docs.discord.com/developers/events/gateway#session-start-limit). ``Identifies`` keeps to fewer: ``_AT_ONCE``
quick ones, then one every 90 seconds, over restarts. ``ready`` waits until one is possible and is awaited before the
connection begins; ``spend`` takes one and is awaited before each identify. What always holds: one is written down
before it is made; of two processes with one database both together keep to it; a clock that was set back makes nobody
wait longer than one gap. Where the database does not answer, memory does for as long as the process lives. Resuming a
session is no identify and is not counted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from utils.storage import StorageError

_log = logging.getLogger(__name__)

GAP_S: Final = 90.0
_AT_ONCE: Final = 10
#: discord.py gives a connection 60 seconds to come about.
_PATIENCE_S: Final = 45.0
_NAME: Final = "gateway.identified_until"


class Shelf(Protocol):
    """Where the one number is kept."""

    async def reserve(self, name: str, decide: Callable[[float | None], float | None], /) -> None:
        """Replace a number by what is made of it, in one step."""


class Identifies:
    """Counts identifies; ``wall`` gives unix seconds.

    The number that is kept is when all identifies so far will have been paid for by the time that passed.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shelf = shelf
        self._wall = wall
        self._sleep = sleep
        self._paid_at = 0.0

    async def ready(self) -> None:
        """Wait until a session may be begun; takes nothing."""
        while (left := await self._look(take=False)) > 0:
            _log.warning("the bot was started too often: it connects to Discord in %.0f s, to keep its token", left)
            await self._sleep(left)

    async def spend(self) -> None:
        """Take one; waits a little where it has to.

        :raises TimeoutError: it would have to wait so long that the connection is better made anew.
        """
        left = await self._look(take=True)
        if left <= 0:
            return
        _log.warning("Discord's gateway was asked for a new session too often: the next in %.0f s", left)
        await self._sleep(min(left, _PATIENCE_S))
        if await self._look(take=True) > 0:
            raise TimeoutError("too many gateway sessions")

    async def _look(self, *, take: bool) -> float:
        """Give the seconds until one is possible, and take it if it is now."""
        left = 0.0

        def decide(kept: float | None) -> float | None:
            nonlocal left
            now = self._wall()
            latest_at = now + _AT_ONCE * GAP_S
            known = max(kept or 0.0, self._paid_at)
            # later than that nothing can have been written but by a clock that was ahead
            paid_at = min(max(known, now), latest_at)
            left = paid_at + GAP_S - latest_at
            if take and left <= 0:
                paid_at += GAP_S
            elif known <= latest_at:
                return None
            self._paid_at = paid_at
            return paid_at

        try:
            await self._shelf.reserve(_NAME, decide)
        except StorageError as error:
            _log.warning("how often Discord was asked for a session is not written down: %s", error)
            decide(None)
        return left
