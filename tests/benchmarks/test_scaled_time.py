"""Time that passes faster for a whole client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from benchmarks.service.scaled_time import Wall, new_loop

_SPEED = 500.0
T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run in a loop of scaled time."""
    with asyncio.Runner(loop_factory=lambda: new_loop(_SPEED)) as runner:
        return runner.run(coroutine)


def test_a_sleep_lasts_its_scaled_seconds():
    """Fifty scaled seconds pass by the loop's clock, and a tenth of a second at least by the real one."""

    async def sleep() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.sleep(50.0)
        return loop.time() - begun

    begun = time.monotonic()
    assert run(sleep()) >= 50.0
    assert 0.1 <= time.monotonic() - begun < 30.0


def test_a_timeout_is_shortened_alike():
    """Who waits at most 500 scaled seconds for nothing is done in one real second."""

    async def wait() -> None:
        async with asyncio.timeout(500.0):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(wait())


def test_the_order_of_timers_holds():
    """Of two timers the earlier fires first, however short they have become."""

    async def order() -> list[int]:
        fired: list[int] = []
        loop = asyncio.get_running_loop()
        loop.call_later(60.0, fired.append, 2)
        loop.call_later(20.0, fired.append, 1)
        await asyncio.sleep(100.0)
        return fired

    assert run(order()) == [1, 2]


def test_the_loop_agrees_with_the_machines_clock():
    """Two processes can compare their times, since both are the machine's clock times the speed."""

    async def now() -> tuple[float, float, float]:
        return time.monotonic(), asyncio.get_running_loop().time() / _SPEED, time.monotonic()

    before, scaled, after = run(now())
    assert before <= scaled <= after


def test_unix_time_runs_at_the_speed():
    """The wall clock advances by the real time times the speed."""
    wall = Wall(_SPEED)
    begun, first = time.monotonic(), wall()
    assert first == pytest.approx(time.time(), abs=60.0)
    while time.monotonic() - begun < 0.01:
        pass
    passed = wall() - first
    assert 0.01 * _SPEED <= passed <= (time.monotonic() - begun + 0.01) * _SPEED


def test_at_speed_one_the_loop_is_a_usual_one():
    """Nothing of ours stands in the way when CPU time is measured."""
    ours, usual = new_loop(1.0), asyncio.new_event_loop()
    try:
        assert type(ours) is type(usual)
    finally:
        ours.close()
        usual.close()
