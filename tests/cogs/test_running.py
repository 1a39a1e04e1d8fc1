"""Running answers at a stop: given their time, then cancelled, and nobody new is let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cogs.running import RunningAnswers


async def start(running: RunningAnswers, work: Callable[[], Awaitable[object]]) -> asyncio.Task[bool]:
    joined = asyncio.Event()

    async def answer() -> bool:
        taken = running.join()
        joined.set()
        if taken:
            await work()
        return taken

    task = asyncio.create_task(answer())
    await joined.wait()
    return task


async def test_a_running_answer_ends_before_the_drain_does():
    """Drain waits for answers that are being given, and cancels none of them."""
    running, release = RunningAnswers(), asyncio.Event()
    task = await start(running, release.wait)
    draining = asyncio.create_task(running.drain(60))
    await asyncio.sleep(0)
    assert running.closing
    release.set()
    assert await draining == 0
    assert task.done()
    assert task.result() is True


async def test_an_answer_that_takes_too_long_is_cancelled():
    """When the time is over, what still runs is cancelled and has ended when drain returns."""
    running = RunningAnswers()
    task = await start(running, asyncio.Event().wait)
    assert await running.drain(0) == 1
    assert task.cancelled()


async def test_nobody_joins_after_the_stop_began():
    """A stopping bot takes no new work."""
    running = RunningAnswers()
    assert await running.drain(60) == 0
    task = await start(running, asyncio.Event().wait)
    assert await task is False


async def test_ended_answers_are_forgotten():
    """A drain with nothing running returns at once, without waiting for its timeout."""
    running = RunningAnswers()
    task = await start(running, lambda: asyncio.sleep(0))
    await task
    async with asyncio.timeout(1):
        assert await running.drain(60) == 0
