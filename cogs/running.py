"""Which answers are being given right now, so that a stop can let them end.

``RunningAnswers`` holds the tasks that discord.py made for interactions and messages the bot works on. A
task joins at its start; once the stop has begun nobody joins any more, and ``drain`` gives the rest their
time before it cancels them. What always holds: a task that ended is not held. What a cancelled answer
leaves behind, in the store and in the channel, is for ``utils.conversations`` and ``utils.rendering``.
"""

from __future__ import annotations

import asyncio
from typing import Any

_CANCEL_TIMEOUT_S = 3.0


class RunningAnswers:
    """The tasks that answer somebody; refuses new ones once the bot is stopping."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
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
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    async def drain(self, timeout_s: float) -> int:
        """Refuse new answers, wait for the running ones, cancel the rest; gives how many were cancelled.

        Takes at most ``timeout_s`` and three seconds for the cancelled ones to store how they ended.
        """
        self._closing = True
        tasks = self._tasks - {asyncio.current_task()}
        if not tasks:
            return 0
        _done, late = await asyncio.wait(tasks, timeout=timeout_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_CANCEL_TIMEOUT_S)
        return len(late)
