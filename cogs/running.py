"""Which answers are being given right now, so that a stop can let them end.

``RunningAnswers`` holds the tasks that answer somebody: those discord.py made for interactions and messages, which
``join`` at their start, and those that somebody started with ``spawn``. Once the stop has begun nobody joins any more,
and ``drain`` gives the rest their time before it cancels them. ``background`` is for work that nobody waits for; it
ends when the stop begins. What always holds: a task that ended is not held. What a cancelled answer leaves behind, in
the store and in the channel, is for ``utils.conversations`` and ``utils.rendering``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)

_CANCEL_TIMEOUT_S = 3.0


class RunningAnswers:
    """The tasks that answer somebody; refuses new ones once the bot is stopping."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._background: set[asyncio.Task[Any]] = set()
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether the stop has begun."""
        return self._closing

    @property
    def count(self) -> int:
        """How many answers are being given now."""
        return len(self._tasks)

    def join(self) -> bool:
        """Count the current task as an answer until it ends; False: the bot is stopping, take no work."""
        if self._closing:
            return False
        task = asyncio.current_task()
        if task is not None:
            _keep(task, self._tasks)
        return True

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Start an answer as a task of its own; not once the bot is stopping."""
        self._start(work, name, self._tasks)

    def background(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Start work that nobody waits for; not once the bot is stopping."""
        self._start(work, name, self._background)

    def _start(self, work: Coroutine[Any, Any, object], name: str, tasks: set[asyncio.Task[Any]]) -> None:
        if self._closing:
            work.close()
            return
        task = asyncio.create_task(_logged(work, name), name=name)
        # a task that is cancelled before its first step never comes to its work, which would be left unawaited
        task.add_done_callback(lambda _: work.close())
        _keep(task, tasks)

    async def drain(self, timeout_s: float) -> int:
        """Refuse new answers, wait for the running ones, cancel the rest; gives how many were cancelled.

        Takes at most ``timeout_s`` and three seconds for the cancelled ones to store how they ended.
        """
        self._closing = True
        for task in self._background:
            task.cancel()
        tasks = self._tasks - {asyncio.current_task()}
        if not tasks:
            return 0
        _done, late = await asyncio.wait(tasks, timeout=timeout_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_CANCEL_TIMEOUT_S)
        return len(late)


def _keep(task: asyncio.Task[Any], tasks: set[asyncio.Task[Any]]) -> None:
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _logged(work: Coroutine[Any, Any, object], name: str) -> None:
    try:
        await work
    except Exception:  # noqa: BLE001 - nobody waits for it: the log is where it ends
        _log.exception("unexpected error in %s", name)
