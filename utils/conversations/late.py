"""Writes about a turn that the store could not take when they were due.

``LateWrites.do`` writes at once where it can. Where the store cannot be used (a full disk, a lock, a file that is
gone), the write is kept and tried again until it is taken, so that a fault of the database costs nobody an answer that
was given. What always holds: what is written about one turn is written in order, each once; a failure that will not
pass by itself is raised at once, and of a kept write logged, with those behind it dropped. What a process keeps when it
ends is lost: the turn is then owed, and answered again by the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from utils.storage import StorageAccessError, StorageError, StorageUnavailableError

_log = logging.getLogger(__name__)

_EVERY_S = 2.0
#: Faults of the machine, which pass.
_PASSING: Final = (StorageUnavailableError, StorageAccessError)
#: What SQLite also says when a disk gives it nothing to read.
_UNREADABLE: Final = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})

Write: TypeAlias = Callable[[], Awaitable[object]]


class LateWrites:
    """Keeps writes by turn; serves one event loop."""

    def __init__(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._kept: dict[int, deque[Write]] = {}
        self._trying: asyncio.Task[None] | None = None

    async def do(self, turn_id: int, write: Write) -> None:
        """Write now, or later where the store cannot be used; raises whatever else ``write`` raises."""
        kept = self._kept.get(turn_id)
        if kept is None:
            try:
                await write()
            except StorageError as error:
                if not _passes(error):
                    raise
                _log.warning("what became of turn %d is stored later: %s", turn_id, error)
                kept = self._kept[turn_id] = deque()
            else:
                return
        kept.append(write)
        if self._trying is None or self._trying.done():
            self._trying = asyncio.create_task(self._try(), name="late writes")

    async def aclose(self) -> None:
        """Try no more."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait({self._trying})

    async def _try(self) -> None:
        while self._kept:
            await self._sleep(_EVERY_S)
            for turn_id in list(self._kept):
                if not await self._caught_up(turn_id):
                    break

    async def _caught_up(self, turn_id: int) -> bool:
        """Write what is kept about a turn; False: the store still cannot be used."""
        kept = self._kept[turn_id]
        try:
            while kept:
                await kept[0]()
                kept.popleft()
        except Exception as error:  # noqa: BLE001 - nobody waits for it any more: the log is where it ends
            if isinstance(error, StorageError) and _passes(error):
                return False
            _log.warning("what became of turn %d is not stored: %s: %s", turn_id, type(error).__name__, error)
        del self._kept[turn_id]
        return True


def _passes(error: StorageError) -> bool:
    return isinstance(error, _PASSING) or error.code in _UNREADABLE
