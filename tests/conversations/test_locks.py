"""Locks by key."""

from __future__ import annotations

import asyncio

import pytest

from utils.conversations.locks import KeyedLocks


async def test_holders_of_one_key_go_one_after_another_in_their_order():
    """Nobody overtakes, and other keys do not wait."""
    locks, order = KeyedLocks(), []

    async def hold(key: int, name: str) -> None:
        async with locks.hold(key):
            order.append(f"{name} in")
            await asyncio.sleep(0)
            order.append(f"{name} out")

    await asyncio.gather(hold(1, "a"), hold(1, "b"), hold(2, "x"), hold(1, "c"))
    assert [step for step in order if not step.startswith("x")] == ["a in", "a out", "b in", "b out", "c in", "c out"]
    assert order.index("x in") < order.index("b in")


async def test_the_table_does_not_grow():
    """Keys that nobody uses any more take no memory, also after errors and cancellations."""
    locks = KeyedLocks()
    for key in range(100):
        async with locks.hold(key):
            assert len(locks) == 1
    with pytest.raises(ValueError, match="inside"):
        async with locks.hold(1):
            raise ValueError("inside")
    async with locks.hold(1):
        waiter = asyncio.ensure_future(locks.hold(1).__aenter__())
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
    assert len(locks) == 0
