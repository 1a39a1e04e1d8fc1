"""Giving up at any moment: nothing stays in flight, the connection closes, nobody is blamed, the pool goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest
from aiohttp import web

from tests.gemini_pool.conftest import Running, Start, until
from utils.gemini_pool import GeminiAPIPool, PoolConfig


class CancelledAt(Awaitable[Any]):
    """Drives a coroutine and cancels it at its n-th await."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], number: int) -> None:
        self._coroutine = coroutine
        self._left = number

    def __await__(self) -> Generator[Any, Any, Any]:
        """Pass everything through until the n-th await, then raise there."""
        step: Callable[[], Any] = lambda: self._coroutine.send(None)  # noqa: E731  # rebound below
        while True:
            try:
                waited_for = step()
            except StopIteration as end:
                return end.value
            if self._left == 0:
                # the coroutine hears of it at the very await at which it stands
                self._left = -1
                if isinstance(waited_for, asyncio.Future):
                    waited_for._asyncio_future_blocking = False
                    waited_for.cancel()
                step = lambda: self._coroutine.throw(asyncio.CancelledError())  # noqa: E731  # see above
                continue
            self._left -= 1
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001  # passed on as it is
                step = lambda error=error: self._coroutine.throw(error)  # type: ignore[misc]  # noqa: E731  # see above
            else:
                step = lambda: self._coroutine.send(None)  # noqa: E731  # see above


async def ask(pool: GeminiAPIPool) -> None:
    """Ask one question."""
    await pool.generate_content(prompt="Hello")


async def read_stream(pool: GeminiAPIPool) -> None:
    """Read a whole stream."""
    async for _ in pool.stream_content(prompt="300 words"):
        pass


async def talk(pool: GeminiAPIPool) -> None:
    """Say two things in a chat."""
    chat, _ = await pool.create_chat()
    assert chat is not None
    await chat.send_message_async("One")
    await chat.send_message_async("Two")


def in_flight(pool: GeminiAPIPool) -> int:
    """How many calls the figures show under way."""
    return sum(entry["in_flight"] for entry in pool.get_api_key_stats()["key_usage"].values())


@pytest.mark.parametrize("use", [ask, read_stream, talk])
async def test_cancelled_at_every_await(running: Running, use: Callable[[GeminiAPIPool], Coroutine[Any, Any, None]]):
    """For n = 0, 1, 2, ... until it finishes: no call left, no error counted, and the next question is answered."""
    pool = running.pool(config=PoolConfig())
    await pool.generate_content(prompt="warm")
    cancelled = 0
    for number in range(400):
        errors = pool.get_api_key_stats()["failed_requests"]
        try:
            await CancelledAt(use(pool), number)
        except asyncio.CancelledError:
            cancelled += 1
        else:
            break
        assert in_flight(pool) == 0
        assert pool.get_api_key_stats()["failed_requests"] == errors
    else:
        pytest.fail("it never came to its end")
    assert cancelled >= 2
    assert (await pool.generate_content(prompt="Hello"))[1]
    assert {entry["state"] for entry in pool.get_api_key_stats()["key_usage"].values()} == {"live"}
    await until(lambda: all(key["in_flight"] == 0 for key in running.emulator.state()))


@pytest.mark.parametrize("use", [ask, read_stream, talk])
async def test_a_cancelled_task_closes_its_connection(
    running: Running, use: Callable[[GeminiAPIPool], Coroutine[Any, Any, None]]
):
    """The service sees the client leave at once, instead of working for nobody."""
    running.break_all("hang")
    pool = running.pool(config=PoolConfig())
    task = asyncio.create_task(use(pool))
    await until(running.asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert in_flight(pool) == 0
    await until(lambda: running.asked()[0]["client_left"])
    assert pool.get_api_key_stats()["failed_requests"] == 0


async def test_a_callers_own_timeout_comes_out_as_the_callers_own(running: Running):
    """``asyncio.timeout`` around a question is neither swallowed nor taken for the service's slowness."""
    pool = running.pool(config=PoolConfig())
    # the first question of a process also loads the SDK, which is not what is timed here
    await pool.generate_content(prompt="Hello")
    running.break_all("hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await pool.generate_content(prompt="Hello")
    figures = pool.get_api_key_stats()
    assert (figures["failed_requests"], figures["kinds"]) == (0, {"ok": 1, "cancelled": 1})


@pytest.mark.parametrize("pieces", [1, 3])
async def test_breaking_out_of_a_stream_closes_it_at_once(start: Start, pieces: int):
    """The reader who has seen enough stops the service from going on."""
    running = await start(2, gap_s=0.05)
    pool = running.pool(config=PoolConfig())
    read = 0
    async for _ in pool.stream_content(prompt="4000 words"):
        read += 1
        if read == pieces:
            break
    await until(lambda: in_flight(pool) == 0)
    await until(lambda: running.asked()[0]["client_left"])
    figures = pool.get_api_key_stats()
    assert (figures["failed_requests"], figures["kinds"]) == (0, {"cancelled": 1})


async def test_closing_a_stream_waits_until_it_is_closed(start: Start):
    """After ``aclose`` nothing of the stream is left."""
    running = await start(2, gap_s=0.05)
    pool = running.pool(config=PoolConfig())
    stream = pool.stream_content(prompt="4000 words")
    await anext(stream)
    assert in_flight(pool) == 1
    await stream.aclose()
    assert in_flight(pool) == 0
    await until(lambda: running.asked()[0]["client_left"])


async def test_a_cancelled_wait_leaves_the_line(running: Running):
    """Who waits for a wall and gives up is forgotten."""
    running.break_all("429", factor=20)
    pool = running.pool()
    task = asyncio.create_task(pool.generate_content(prompt="Hello", deadline_s=60.0))
    await until(lambda: pool._dispatcher._waiting)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not pool._dispatcher._waiting
    assert in_flight(pool) == 0


async def test_a_slow_reader_costs_bounded_memory(running: Running):
    """A long answer waits with the service, not in our memory: what was sent stops growing while nobody reads."""
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        content = {"role": "model", "parts": [{"text": "x" * 200_000}]}
        piece = b"data: " + json.dumps({"candidates": [{"content": content, "index": 0}]}).encode() + b"\r\n\r\n"
        while True:
            await response.write(piece)
            sent += len(piece)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pool = GeminiAPIPool(api_keys=["key"], base_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    stream = pool.stream_content(prompt="Hello")
    await anext(stream)
    seen, rounds = 0, 0
    while rounds < 300:
        seen, rounds = (seen, rounds + 1) if sent == seen else (sent, 0)
        # what nobody reads fills the buffers of the kernel on both sides, and no more than a few pieces of ours
        assert sent < 30_000_000
        await asyncio.sleep(0)
    await stream.aclose()
    await pool.aclose()
    await runner.cleanup()
