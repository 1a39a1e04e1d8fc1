"""Work that outlives whoever waits for it.

``InFlight`` runs each piece as a task of its own: cancelling the caller cancels neither a half-done statement nor the
commit (cancelling would leave the connection in an unknown state, and a write that was cancelled may have happened
all the same). What always holds: after ``drain`` nothing runs and nothing more is taken. A failure nobody waits for
any more is logged by its class and code.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from utils.storage.errors import StorageClosedError, StorageError

T = TypeVar("T")

_log = logging.getLogger(__name__)


class InFlight:
    """The pieces of work under way on one loop."""

    __slots__ = ("_closed", "_tasks")

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` to its end, whatever becomes of the caller.

        :raises StorageClosedError: ``drain`` was called before.
        """
        if self._closed:
            work.close()
            raise StorageClosedError
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await outlasting(task)

    async def drain(self) -> None:
        """Take no more and wait until all that is under way has ended."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)


async def outlasting(work: asyncio.Future[T]) -> T:
    """Wait for ``work`` without handing a cancellation on to it."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if not work.cancelled():
            work.add_done_callback(_log_failure)
        raise


def _log_failure(work: asyncio.Future[Any]) -> None:
    if work.cancelled() or (error := work.exception()) is None:
        return
    code = error.code if isinstance(error, StorageError) else None
    _log.warning("database work failed after its caller had gone: %s (%s)", type(error).__name__, code)
