"""Counting over time, over restarts, and while the database is away; between processes in ``tests/storage``."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from utils.conversations.fairness import FairUse, OwnerLimits
from utils.conversations.fairness.ledger import DAY_S
from utils.storage import Amounts, Storage, open_storage

NOON = 20_000 * DAY_S + 43_200.0


class Wall:
    """A wall clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
async def storage(tmp_path: Path, wall: Wall) -> AsyncIterator[Storage]:
    async with open_storage(f"sqlite:///{tmp_path / 'bot.db'}", wall=wall) as opened:
        yield opened


def fair_use(storage: Storage, wall: Wall, **user: int) -> FairUse:
    return FairUse(storage.limits, OwnerLimits(user=Amounts(**user)), wall=wall, clock=wall)


async def test_nobody_gets_past_a_limit_whatever_comes_at_once(storage, wall):
    """A hundred people with a hundred questions each at once: five each, and no more in the same minute or day."""
    fair = fair_use(storage, wall, per_minute=5, per_day=12)
    ids = itertools.count(1)

    async def ask_all(each: int) -> dict[int, int]:
        people = [user for user in range(100) for _ in range(each)]
        denials = await asyncio.gather(*(fair.admit(next(ids), user, 5) for user in people))
        taken: dict[int, int] = {}
        for user, denied in zip(people, denials, strict=True):
            taken[user] = taken.get(user, 0) + (denied is None)
        return taken

    assert set((await ask_all(100)).values()) == {5}
    wall.now += 30
    assert set((await ask_all(10)).values()) == {0}
    wall.now += 31
    assert set((await ask_all(10)).values()) == {5}
    wall.now += 61
    assert set((await ask_all(10)).values()) == {2}
    await fair.aclose()


async def test_a_question_that_comes_twice_counts_once(storage, wall):
    """A hundred deliveries of one message are one question."""
    fair = fair_use(storage, wall, per_day=2)
    assert [await fair.admit(1, 7, 5) for _ in range(100)] == [None] * 100
    assert await fair.admit(2, 7, 5) is None
    assert await fair.admit(3, 7, 5) is not None
    await fair.aclose()


async def test_what_was_used_survives_a_restart(storage, wall):
    """Minute, day, tokens and money; after midnight the rows of yesterday are deleted."""
    fair = fair_use(storage, wall, per_minute=2)
    await fair.admit(1, 7, 5)
    await fair.admit(2, 7, 5)
    await fair.spent(user_id=7, guild_id=5, model="gemini-4-hydrogen", input_tokens=1000, output_tokens=100)
    await fair.aclose()
    again = fair_use(storage, wall, per_minute=2, per_day=9, tokens=9000, micros=9000)
    assert await again.admit(3, 7, 5) is not None
    used = {rule.amount: rule.used for rule in await again.standing(7, 5)}
    assert used == {"per_minute": 2, "per_day": 2, "tokens": 1100, "micros": 2250}
    wall.now += DAY_S
    assert await again.admit(4, 7, 5) is None
    await again.aclose()
    assert [use.use_id for use in await storage.limits.begin(0)] == [4]


async def test_tokens_and_money_are_known_afterwards_and_the_answer_that_reaches_them_is_the_last(storage, wall):
    """The next question is refused until midnight."""
    fair = fair_use(storage, wall, tokens=100)
    assert await fair.admit(1, 7, None) is None
    await fair.spent(user_id=7, guild_id=None, model="m", input_tokens=99, output_tokens=900)
    denied = await fair.admit(2, 7, None)
    assert denied is not None
    assert (denied.rule.amount, denied.rule.again_at) == ("tokens", 20_001.0 * DAY_S)
    await fair.spent(user_id=7, guild_id=None, model="m", input_tokens=0, output_tokens=0)
    await fair.aclose()


async def test_what_is_given_back_counts_no_more_here_and_after_a_restart(storage, wall):
    """Also when it had been stored already."""
    fair = fair_use(storage, wall, per_day=1)
    await fair.admit(1, 7, 5)
    await fair.aclose()
    fair.give_back(1)
    fair.give_back(99)
    assert await fair.admit(2, 7, 5) is None
    await fair.aclose()
    assert [use.use_id for use in await storage.limits.begin(0)] == [2]


async def test_a_server_changes_its_limits_and_the_next_question_keeps_to_them(storage, wall):
    """Members, roles and the server as a whole; cleared, the operator's hold again."""
    fair = fair_use(storage, wall, per_day=1)
    await fair.admit(1, 7, 5)
    assert await fair.admit(2, 7, 5) is not None
    await fair.set_factor(5, 99, 2.0)
    assert await fair.admit(3, 7, 5) is not None
    assert await fair.admit(4, 7, 5, (99,)) is None
    await fair.change(5, "members", {"per_day": 3})
    assert await fair.admit(5, 7, 5) is None
    await fair.change(5, "server", {"per_day": 3})
    denied = await fair.admit(6, 8, 5)
    assert denied is not None
    assert denied.rule.subject == "server"
    await fair.clear(5, "server")
    await fair.clear(5, "members")
    await fair.clear(5, None)
    assert await fair.admit(7, 8, 5) is None
    assert await fair.admit(8, 7, 5, (99,)) is not None
    await fair.aclose()


async def test_one_answer_at_a_time_is_given_to_a_person(storage, wall):
    """A second one waits for the first; another person's does not."""
    fair = fair_use(storage, wall)
    order: list[str] = []
    first_may_end = asyncio.Event()

    async def answer(user_id: int, name: str, may_end: asyncio.Event | None = None) -> None:
        async with fair.slot(user_id):
            order.append(name)
            if may_end is not None:
                await may_end.wait()

    first = asyncio.create_task(answer(7, "first", first_may_end))
    await asyncio.sleep(0)
    second = asyncio.create_task(answer(7, "second"))
    await answer(8, "another's")
    assert (order, fair.is_served(7), fair.is_served(8)) == (["first", "another's"], True, False)
    first_may_end.set()
    await asyncio.gather(first, second)
    assert (order[-1], fair.is_served(7)) == ("second", False)


async def test_without_the_database_counting_goes_on_and_is_stored_later(tmp_path, wall):
    """What was known is known; what could not be stored is stored with what follows."""
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    async with open_storage(url, wall=wall) as storage:
        fair = fair_use(storage, wall, per_day=3)
        await fair.admit(1, 7, None)
        await fair.aclose()
    await fair.admit(2, 7, None)
    await fair.aclose()
    await fair.spent(user_id=7, guild_id=None, model="m", input_tokens=1, output_tokens=1)
    async with open_storage(url, wall=wall) as storage:
        fair._store = storage.limits
        assert await fair.admit(3, 7, None) is None
        assert await fair.admit(4, 7, None) is not None
        await fair.aclose()
        assert {use.use_id for use in await storage.limits.begin(0)} >= {1, 2, 3}


async def test_deleting_ones_rows_is_no_way_round_a_limit(storage, wall):
    """Here the day's count stays in memory, after a restart it is known under another name, till midnight."""
    fair = fair_use(storage, wall, per_day=3)
    for use_id, guild_id in ((1, 5), (2, None)):
        await fair.admit(use_id, 7, guild_id)
    await fair.aclose()
    await storage.privacy.forget_user(7)
    assert await fair.admit(3, 7, 5) is None
    assert await fair.admit(4, 7, 5) is not None
    await fair.aclose()
    await storage.privacy.forget_user(7)
    restarted = fair_use(storage, wall, per_day=3)
    assert await restarted.admit(5, 7, 6) is not None
    assert await restarted.admit(6, 8, 6) is None
    wall.now += DAY_S
    tomorrow = fair_use(storage, wall, per_day=3)
    assert await tomorrow.admit(7, 7, 5) is None
