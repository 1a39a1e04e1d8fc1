"""Upkeep: swept once a day by the clock, over restarts, and never given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import randbits

import pytest

from cogs.upkeep import Upkeep
from utils.storage import Storage, StorageBusyError, open_storage

DAY_S = 86_400.0


class Wall:
    """A wall clock that is set by hand."""

    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
async def storage(tmp_path: Path, wall: Wall) -> AsyncIterator[Storage]:
    async with open_storage(str(tmp_path / "bot.db"), wall=wall) as opened:
        yield opened


def upkeep(storage: Storage, wall: Wall, *, days: int = 30, **more) -> Upkeep:
    return Upkeep(storage.privacy, storage.audit, storage.meta, None, retention_days=days, wall=wall, **more)


async def say(storage: Storage) -> int:
    kept = storage.conversations
    conversation = await kept.open_conversation(kind="ask", guild_id=5, channel_id=1, owner_id=7, model=None)
    turn = await kept.ask(
        conversation.id,
        source_id=randbits(60),
        user_id=7,
        user_name="Ann",
        guild_id=5,
        channel_id=1,
        text="?",
        attachments=(),
        locale="en-US",
    )
    assert turn is not None
    return turn.id


async def test_what_is_too_old_is_deleted_once_a_day(storage: Storage, wall: Wall):
    """At 29 days it is there, at 31 it is gone; within a day nothing is looked at again, also after a restart."""
    turn_id = await say(storage)
    wall.now += 29 * DAY_S
    assert await upkeep(storage, wall).sweep_if_due()
    assert await storage.conversations.get_turn(turn_id) is not None
    wall.now += DAY_S / 2
    assert not await upkeep(storage, wall).sweep_if_due()
    wall.now += 1.5 * DAY_S
    assert await upkeep(storage, wall).sweep_if_due()
    assert await storage.conversations.get_turn(turn_id) is None


async def test_without_retention_everything_is_kept(storage: Storage, wall: Wall):
    """0 days means never."""
    turn_id = await say(storage)
    wall.now += 10_000 * DAY_S
    assert await upkeep(storage, wall, days=0).sweep_if_due()
    assert await storage.conversations.get_turn(turn_id) is not None


async def test_a_clock_that_ran_ahead_does_not_stop_the_sweeps(storage: Storage, wall: Wall):
    """A sweep noted for the future is not waited for."""
    wall.now += 365 * DAY_S
    await upkeep(storage, wall).sweep_if_due()
    wall.now -= 365 * DAY_S
    assert await upkeep(storage, wall).sweep_if_due()


async def test_deeds_of_administrators_are_kept_for_a_year(storage: Storage, wall: Wall):
    """Then they go, whatever the retention of what people said."""
    await storage.audit.add(7, "keys.add", "north")
    wall.now += 364 * DAY_S
    await upkeep(storage, wall, days=0).sweep_if_due()
    assert await storage.audit.count_of(7) == 1
    wall.now += 2 * DAY_S
    await upkeep(storage, wall, days=0).sweep_if_due()
    assert await storage.audit.count_of(7) == 0


async def test_a_failure_is_one_line_and_tried_again(storage: Storage, wall: Wall, caplog: pytest.LogCaptureFixture):
    """A locked database is no end of the upkeep."""
    rounds = 0
    done = asyncio.Event()

    class Locked:
        """Fails twice, then works."""

        async def run(self) -> int:
            nonlocal rounds
            rounds += 1
            if rounds < 3:
                raise StorageBusyError("locked by a test.")
            done.set()
            return 0

    async def sleep(_seconds: float) -> None:
        await asyncio.sleep(0)

    keeper = Upkeep(storage.privacy, storage.audit, storage.meta, Locked(), retention_days=30, wall=wall, sleep=sleep)
    with caplog.at_level(logging.WARNING):
        running = asyncio.create_task(keeper.run())
        async with asyncio.timeout(10):
            await done.wait()
        running.cancel()
        await asyncio.wait([running])
    assert [record.getMessage() for record in caplog.records] == [
        "the store's upkeep is tried again later: locked by a test."
    ] * 2
