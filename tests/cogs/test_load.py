"""Many at once: everybody is acknowledged, and no limit of Discord's is run into. Counts only; times are benched."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cogs.vestibule import Vestibule
from tests.cogs.conftest import House, until
from utils.conversations.fairness import OwnerLimits
from utils.storage import Amounts

COMMANDS = ("usage", "my-data show", "persona list")


@pytest.fixture
async def crowded(made: House) -> House:
    """Give a house whose bot limits nobody, with forty people more."""
    await made.start(owner=OwnerLimits(user=Amounts(), server=Amounts(), total=Amounts()))
    for number in range(40):
        made.discord.come(f"Person {number}")
    return made


async def test_forty_interactions_in_one_instant_are_all_acknowledged(crowded: House):
    """Commands that answer, ask and read the store, in turn; none waits for the work of another."""
    made = []
    for number in range(40):
        name = "ask" if number % 2 else COMMANDS[number % 3]
        options = {"prompt": f"Why? #q-{number}"} if name == "ask" else {}
        channel = crowded.channel("general")
        made.append(crowded.discord.invoke(channel, name=name, options=options, user=f"Person {number}"))

    def acknowledged() -> bool:
        found = [crowded.discord._parts.interactions.find(one) for one in made]
        return all(one is not None and one.acknowledged_ms is not None for one in found)

    await until(acknowledged)
    await until(lambda: not crowded.bot.running.count)


async def test_answers_in_many_threads_keep_to_the_limit_over_all_channels(crowded: House):
    """Fifteen chats open in one channel, whose window is five minutes long; their answers provoke no refusal."""
    general = crowded.channel("general")
    for number in range(15):
        crowded.discord.invoke(general, name="chat", options={"prompt": f"Go #q-{number}x"}, user=f"Person {number}")

    def answered() -> list[dict[str, Any]]:
        threads = [str(thread["id"]) for thread in crowded.discord.state()["threads"]]
        return [said for thread in threads for said in crowded.said(thread) if "tokens read" in said["content"]]

    await until(lambda: len(answered()) == 15)
    await until(lambda: not crowded.bot.running.count)
    assert [entry for entry in crowded.discord.diary() if entry["status"] == 429] == []


async def test_work_waits_for_who_is_not_acknowledged_but_not_for_ever():
    """Nobody waits where nobody comes; who is never acknowledged is forgotten after a while."""
    vestibule = Vestibule(patience_s=0.2)
    await vestibule.calm()
    assert vestibule._watching is None
    done = asyncio.Event()
    vestibule.enter(done.is_set)
    working = asyncio.create_task(vestibule.calm())
    await asyncio.sleep(0)
    assert not working.done()
    done.set()
    await working
    vestibule.enter(lambda: False)
    await vestibule.calm()
    await until(lambda: vestibule._coming == [])
