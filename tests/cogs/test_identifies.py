"""However often the bot crashes, it never begins a thousand gateway sessions in a day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from cogs.identifies import GAP_S, Identifies
from tests.cogs.conftest import House, until
from utils.storage import StorageUnavailableError

DAY_S = 86_400.0


class World:
    """Time that passes while somebody sleeps, and one number that outlives them."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0
        self.kept: float | None = None
        self.slept: list[float] = []
        self.broken = False

    def wall(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def reserve(self, _name: str, decide: Callable[[float | None], float | None], /) -> None:
        if self.broken:
            raise StorageUnavailableError("gone")
        following = decide(self.kept)
        if following is not None:
            self.kept = following

    def process(self) -> Identifies:
        return Identifies(self, wall=self.wall, sleep=self.sleep)


@pytest.mark.parametrize("life_s", [0.0, 1.0, 30.0, 89.0])
async def test_a_crash_loop_stays_below_a_thousand_in_any_day(life_s):
    """However fast it dies, over two days: in every span of 24 hours, and 90 seconds apart on the average."""
    world = World()
    times: list[float] = []
    end = world.now + 2 * DAY_S
    while world.now < end:
        identifies = world.process()
        await identifies.ready()
        await identifies.spend()
        times.append(world.now)
        world.now += life_s
    assert max(sum(begin <= at < begin + DAY_S for at in times) for begin in times) < 1000
    assert (times[-1] - times[0]) / (len(times) - 10) >= GAP_S - 0.1


async def test_an_ordinary_start_waits_for_nothing():
    """Ten restarts in a row are an afternoon's work."""
    world = World()
    for _ in range(10):
        identifies = world.process()
        await identifies.ready()
        await identifies.spend()
    assert world.slept == []


async def test_a_session_that_is_lost_again_and_again_makes_the_connection_wait(caplog):
    """In a running process the wait is shorter than discord.py's patience, then the connection is made anew."""
    world = World()
    identifies = world.process()
    for _ in range(10):
        await identifies.spend()
    with pytest.raises(TimeoutError):
        await identifies.spend()
    assert world.slept == [45.0]
    await identifies.spend()
    assert world.slept == [45.0, 45.0]
    assert "too often" in caplog.text


async def test_a_clock_that_was_ahead_costs_one_gap_at_most():
    """What was written down in the future is believed no further than that."""
    world = World()
    world.kept = world.now + 365 * DAY_S
    identifies = world.process()
    await identifies.ready()
    assert world.slept == [GAP_S]


async def test_without_the_database_memory_counts():
    """A session can be begun, but not too many."""
    world = World()
    world.broken = True
    identifies = world.process()
    for _ in range(10):
        await identifies.ready()
        await identifies.spend()
    await identifies.ready()
    assert [round(seconds) for seconds in world.slept] == [round(GAP_S)]


async def test_the_bot_counts_before_it_identifies_and_a_resume_counts_nothing(made: House):
    """Over the gateway: the start is one, a dropped connection that is resumed none."""
    world = World()
    await made.start(identifies=lambda _: world.process())
    one = world.kept
    assert one is not None
    resumed = asyncio.create_task(made.bot.wait_for("resumed"))
    made.discord.drop_gateway("reconnect")
    await resumed
    assert world.kept == one


async def test_a_bot_that_started_too_often_connects_later(made: House):
    """It logs in and waits without a session; once it may, it connects."""
    world, may_go = World(), asyncio.Event()
    for _ in range(10):
        await world.process().spend()

    async def sleep(seconds: float) -> None:
        await may_go.wait()
        world.now += seconds

    starting = asyncio.create_task(
        made.start(identifies=lambda _: Identifies(world, wall=world.wall, sleep=sleep)),
    )
    await until(lambda: any(entry["path"].endswith("/commands") for entry in made.discord.diary()))
    assert made.bot.get_guild(int(made.discord.guild_id)) is None
    may_go.set()
    await starting
    assert made.bot.get_guild(int(made.discord.guild_id)) is not None
