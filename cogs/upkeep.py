"""What is done for the store in the background: encrypting anew, and deleting what is too old.

``Upkeep.run`` first brings everything under the newest master key, then deletes once a day whatever was asked longer
ago than the retention, and what administrators did longer ago than a year. What always holds: when the last sweep was
stands in the store, so restarts neither repeat nor skip one; what goes wrong is one line in the log and is tried again
within the hour; cancelling it at any moment loses nothing. ``sleep`` waits, ``wall`` gives unix seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from cogs.sync import Notes
from utils.storage import Audit, Privacy, StorageError

_log = logging.getLogger(__name__)

_SECONDS_PER_DAY = 86_400.0
_AUDIT_DAYS = 365
#: Between two looks at the clock, which may be set meanwhile.
_LOOK_S = 3600.0
_SWEPT = "retention.swept_at"


class Reencrypts(Protocol):
    """Brings all rows under the newest master key."""

    async def run(self) -> int:
        """Do it, and give how many rows were changed."""


class Upkeep:
    """The store's housekeeping; ``retention_days`` 0: nothing people said is deleted by age."""

    def __init__(
        self,
        privacy: Privacy,
        audit: Audit,
        notes: Notes,
        reencryption: Reencrypts | None,
        *,
        retention_days: int,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._privacy = privacy
        self._audit = audit
        self._notes = notes
        self._reencryption = reencryption
        self._retention_days = retention_days
        self._wall = wall
        self._sleep = sleep

    async def run(self) -> None:
        """Do what is to be done, for ever."""
        while True:
            try:
                if self._reencryption is not None:
                    await self._reencryption.run()
                await self.sweep_if_due()
            except StorageError as error:
                _log.warning("the store's upkeep is tried again later: %s", error)
            await self._sleep(_LOOK_S)

    async def sweep_if_due(self) -> bool:
        """Delete what is too old if that was last done a day ago, or by a clock that ran ahead; tells whether it was.

        :raises StorageError: it is to be tried again.
        """
        now = self._wall()
        last = float(await self._notes.get(_SWEPT) or 0)
        if 0 <= now - last < _SECONDS_PER_DAY:
            return False
        if self._retention_days:
            count = await self._privacy.sweep(now - self._retention_days * _SECONDS_PER_DAY)
            if count:
                _log.info("%d turns older than %d days were deleted", count, self._retention_days)
        await self._audit.drop_before(now - _AUDIT_DAYS * _SECONDS_PER_DAY)
        await self._notes.set(_SWEPT, str(now))
        return True
