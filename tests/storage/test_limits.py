"""Uses, servers' limits and the one number of the gateway; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from cogs.identifies import GAP_S, Identifies
from tests.storage.conftest import WallClock
from utils.conversations.fairness import FairUse, OwnerLimits
from utils.storage import Amounts, GuildLimits, Storage, Use, open_storage

Opener = Callable[[], AbstractAsyncContextManager[Storage]]


async def test_a_use_is_stored_once_and_deleted_when_it_is_taken_back(storage: Storage, wall: WallClock):
    """Whoever stores it again changes nothing; what is older than asked for is deleted."""
    old, one, two = Use(1, 7, 5, wall.now - 100, 1), Use(2, 7, None, wall.now, 1), Use(3, 8, 5, wall.now, tokens=4)
    await storage.limits.exchange([old, one], (), since=0)
    await storage.limits.exchange([Use(2, 9, 9, wall.now, 1), two], (), since=0)
    assert await storage.limits.begin(0) == [old, one, two]
    assert await storage.limits.begin(wall.now - 50) == [one, two]
    await storage.limits.exchange([], [2], since=0)
    assert await storage.limits.begin(0) == [two]


async def test_a_server_that_chose_nothing_has_no_limits_of_its_own(storage: Storage):
    """Nobody's limits, no role."""
    assert await storage.limits.of_guild(5) == GuildLimits()


async def test_a_change_leaves_what_it_does_not_name(storage: Storage):
    """Changes add up, also at once; None takes one back, 0 stays 0, and another server has its own."""
    await asyncio.gather(
        storage.limits.change(5, "members", {"per_minute": 3}),
        storage.limits.change(5, "members", {"per_day": 0, "micros": 9}),
        storage.limits.change(5, "server", {"tokens": 10**12}),
        storage.limits.change(6, "members", {}),
        storage.limits.set_factor(5, 2, 1.5),
        storage.limits.set_factor(5, 1, 3.0),
    )
    await storage.limits.change(5, "members", {"micros": None})
    await storage.limits.set_factor(5, 2, 0.5)
    assert await storage.limits.of_guild(5) == GuildLimits(
        Amounts(per_minute=3, per_day=0), Amounts(tokens=10**12), {1: 3.0, 2: 0.5}
    )
    assert await storage.limits.of_guild(6) == GuildLimits()
    await storage.limits.clear(5, "members")
    await storage.limits.clear_factors(5, 1)
    assert await storage.limits.of_guild(5) == GuildLimits(server=Amounts(tokens=10**12), factors={2: 0.5})
    await storage.limits.clear_factors(5)
    await storage.limits.clear(5, "server")
    assert await storage.limits.of_guild(5) == GuildLimits()


async def test_forgetting_takes_uses_and_limits_along(storage: Storage, wall: WallClock):
    """A person's uses, a server's uses and limits, and nobody else's; of today a count without a name is left."""
    uses = [Use(1, 7, 5, wall.now, 1), Use(2, 8, 5, wall.now, 1), Use(3, 8, 6, wall.now, 1)]
    await storage.limits.exchange(uses, (), since=0)
    await storage.limits.change(5, "members", {"per_day": 1})
    await storage.limits.set_factor(5, 1, 2.0)
    assert (await storage.privacy.holdings(7)).rows["fair_uses"] == 1
    await storage.privacy.forget_user(7)
    [left, *others] = await storage.limits.begin(0)
    assert others == uses[1:]
    assert (left.guild_id, left.used_at % 86_400, left.requests) == (5, 0, 1)
    assert left.user_id < 0
    assert left.use_id < 0
    assert left.user_id == storage.limits.alias(7)
    await storage.privacy.forget_guild(5)
    assert await storage.limits.begin(0) == uses[2:]
    assert await storage.limits.of_guild(5) == GuildLimits()


async def test_ids_of_ours_do_not_follow_those_of_discord(open_it: Opener, wall: WallClock):
    """After a restart rows get ids of the time they are made at, whatever id a message had."""
    async with open_it() as storage:
        await storage.limits.exchange([Use(2**62, 7, 5, wall.now, 1)], (), since=0)
    async with open_it() as storage:
        assert storage.limits.make_id() < 2**62


async def test_two_processes_share_a_limit_by_the_database(postgres_url: str, wall: WallClock):
    """Each knows of the other's questions once it has stored its own; what both saw counts once."""
    owner = OwnerLimits(user=Amounts(per_day=4))
    async with open_storage(postgres_url, wall=wall) as first, open_storage(postgres_url, wall=wall) as second:
        one, two = (FairUse(each.limits, owner, wall=wall, clock=wall) for each in (first, second))
        assert await two.admit(1, 7, 5) is None
        await two.aclose()
        for use_id in (1, 2, 3):
            assert await one.admit(use_id, 7, 5) is None
        await one.aclose()
        assert await two.admit(4, 7, 5) is None
        await two.aclose()
        assert await two.admit(5, 7, 5) is not None
        await one.spent(user_id=9, guild_id=None, model="m", input_tokens=1, output_tokens=1)
        await one.aclose()
        assert await one.admit(6, 7, 5) is not None


async def test_the_gateways_number_is_kept_and_replaced_in_one_step(storage: Storage, wall: WallClock):
    """Of two that take at once each takes one; what nobody changes stays."""
    seen: list[float | None] = []

    def add(kept: float | None) -> float:
        seen.append(kept)
        return (kept or 0.0) + 1.0

    await asyncio.gather(*(storage.limits.reserve("n", add) for _ in range(5)))
    assert sorted(seen, key=lambda kept: kept or 0.0) == [None, 1.0, 2.0, 3.0, 4.0]
    await storage.limits.reserve("n", lambda _: None)
    await storage.limits.reserve("n", add)
    assert seen[-1] == 5.0


async def test_identifies_are_counted_over_restarts(open_it: Opener, wall: WallClock):
    """Ten starts at once, then one every 90 seconds, whoever starts."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        wall.now += seconds

    for _ in range(12):
        async with open_it() as storage:
            identifies = Identifies(storage.limits, wall=wall, sleep=sleep)
            await identifies.ready()
            await identifies.spend()
    assert [round(seconds) for seconds in slept] == [round(GAP_S)] * 2
