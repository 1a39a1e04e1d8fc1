"""A second call beside one that takes long: only where it is configured, and both are accounted for."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.gemini_pool.conftest import QUICK, Running, until
from utils.gemini_pool import GeminiAPIPool, PoolConfig

#: A limit that no test waits for, so that it is the second call that answers.
PATIENT = dataclasses.replace(QUICK, first_byte_s=20.0, first_byte_floor=1.0)
HEDGED = dataclasses.replace(PATIENT, hedge_after_s=0.05)

Way = Callable[[GeminiAPIPool], Coroutine[Any, Any, str]]


async def whole(pool: GeminiAPIPool) -> str:
    """Ask for a whole answer."""
    answer, success = await pool.generate_content(prompt="Why?", deadline_s=60.0)
    assert success, answer
    return answer.text or ""


async def streamed(pool: GeminiAPIPool) -> str:
    """Read a stream."""
    return "".join([piece.text or "" async for piece in pool.stream_content(prompt="Why?", deadline_s=60.0)])


WAYS = pytest.mark.parametrize("way", [whole, streamed])


def assert_settled(pool: GeminiAPIPool, running: Running, *, live: int) -> None:
    """Every call is given back, and the figures are the diary's."""
    entries = pool.get_api_key_stats()["key_usage"].values()
    assert all(lane.in_flight == 0 for one in pool._policy.pools.values() for lane in one.lanes)
    assert {entry["name"]: entry["usage"] for entry in entries if entry["usage"]} == running.asked_by_key()
    assert sum(entry["state"] == "live" for entry in entries) == live


@WAYS
async def test_the_second_call_answers_where_the_first_hangs(running: Running, way: Way):
    """Two requests are sent and counted; the first is cancelled, which is no fault of its key."""
    running.break_key("k1", kind="hang")
    pool = running.pool(config=HEDGED)
    assert await way(pool)
    await until(lambda: len(running.asked()) == 2)
    assert running.asked_by_key() == {"k1": 1, "k2": 1}
    assert_settled(pool, running, live=4)
    assert pool.get_api_key_stats()["failed_requests"] == 0


@WAYS
async def test_the_first_call_may_still_win(running: Running, way: Way):
    """The second hangs: it is the one that is cancelled."""
    running.emulator.set_faults([{"keys": ["k2"], "kind": "hang"}, {"keys": ["k1"], "kind": "slow", "factor": 6.0}])
    pool = running.pool(config=HEDGED)
    assert await way(pool)
    await until(lambda: len(running.asked()) == 2)
    assert running.asked_by_key() == {"k1": 1, "k2": 1}
    assert_settled(pool, running, live=4)


@WAYS
async def test_one_that_fails_leaves_the_other_its_time(running: Running, way: Way):
    """The second call is refused while the first still runs: nobody asks a third key."""
    running.emulator.set_faults([{"keys": ["k2"], "kind": "503"}, {"keys": ["k1"], "kind": "slow", "factor": 6.0}])
    pool = running.pool(config=HEDGED)
    assert await way(pool)
    assert running.asked_by_key() == {"k1": 1, "k2": 1}
    assert_settled(pool, running, live=4)


@WAYS
async def test_when_both_fail_the_request_moves_on(running: Running, way: Way):
    """To a key that neither of them was."""
    running.emulator.set_faults([{"keys": ["k1"], "kind": "hang"}, {"keys": ["k2"], "kind": "503"}])
    pool = running.pool(config=dataclasses.replace(HEDGED, first_byte_s=0.4))
    assert await way(pool)
    assert sum(running.asked_by_key()[key] for key in ("k3", "k4")) >= 1
    assert_settled(pool, running, live=4)


@WAYS
async def test_who_leaves_gives_both_back(running: Running, way: Way):
    """Two calls under way and nobody to hear the answer: both are cancelled and counted."""
    running.break_all("hang")
    pool = running.pool(config=HEDGED)
    task = asyncio.create_task(way(pool))
    await until(lambda: len(running.asked()) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_settled(pool, running, live=4)


@pytest.mark.parametrize("config", [PoolConfig(), PATIENT])
async def test_nothing_is_asked_twice_unless_configured(running: Running, config: PoolConfig):
    """A slow answer is waited for."""
    running.break_all("slow", factor=1.2)
    pool = running.pool(config=config)
    assert await whole(pool)
    assert len(running.asked()) == 1


async def test_the_explanation_names_both_keys(running: Running):
    """Who asks why is told of the call that was cancelled and of the one that answered."""
    running.break_key("k1", kind="hang")
    pool = running.pool(config=HEDGED)
    await pool.generate_content(prompt="Why?", deadline_s=60.0, request_id="mine")
    told = pool.explain("mine")
    assert told is not None
    assert "Key #1" in told
    assert "Key #2" in told
    assert "cancelled" in told
