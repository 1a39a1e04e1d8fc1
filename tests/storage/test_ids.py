"""Ids grow, whatever the clock and the dice do, and stay 63 bits long."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.storage.conftest import Asker, WallClock
from utils.storage import Storage
from utils.storage.ids import IdSource


@given(st.lists(st.tuples(st.floats(-1e12, 1e12), st.integers(0, 2**22 - 1)), min_size=2, max_size=50))
def test_ids_grow_strictly_and_fit_63_bits_whatever_the_clock_does(moments: list[tuple[float, int]]):
    times, dice = (iter(values) for values in zip(*moments, strict=True))
    make_id = IdSource(lambda: next(times), random_bits=lambda _: next(dice))
    made = [make_id() for _ in moments]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert made[0] >= 0
    assert made[-1] < 2**63


def test_ids_of_one_moment_differ_between_two_sources():
    assert IdSource(lambda: 1.8e9)() != IdSource(lambda: 1.8e9)()


async def test_ids_grow_over_a_restart_with_the_clock_set_back(
    open_it: Callable[[], AbstractAsyncContextManager[Storage]], wall: WallClock
):
    """A history stays in the order of asking even when the machine's clock is corrected between two starts."""
    async with open_it() as storage:
        conversation = await Asker(storage).conversation()
        await Asker(storage).answer(await Asker(storage).ask(conversation, "before?"), "before!")
    wall.now -= 3_600
    async with open_it() as storage:
        asker = Asker(storage)
        await asker.answer(await asker.ask(conversation, "after?", source_id=5), "after!")
        history = await storage.conversations.history(conversation.id, max_messages=9)
    assert [message.text for message in history] == ["before?", "before!", "after?", "after!"]
