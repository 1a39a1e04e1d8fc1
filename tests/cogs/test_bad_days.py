"""What people and Discord do to an answer while it is given, and what the model does instead of answering.

The bot, over both emulators. What must hold for each: a kind sentence once where there is a place for it, and nothing
foreign in it; nothing is tried again that Discord refused; the turn is stored as what it became; the next question is
answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sandbox.discord import DiscordLimits
from tests.cogs.conftest import House, until
from tests.cogs.talk import begun, open_thread, settled
from utils.storage import Turn


async def turn_of(house: House, source_id: str) -> Turn:
    """Give the turn that was asked by a message or command."""
    turn = await house.conversations.turn_of_source(int(source_id))
    assert turn is not None
    return turn


def lock(house: House, thread: str) -> None:
    house.discord.archive_thread(thread, archived=True, locked=True)


def archive(house: House, thread: str) -> None:
    house.discord.archive_thread(thread)


def delete(house: House, thread: str) -> None:
    house.discord.delete_channel(thread)


def forbid(house: House, thread: str) -> None:
    parent = next(one["parent_id"] for one in house.discord.state()["threads"] if one["id"] == thread)
    house.discord.take_permission(str(parent), "SEND_MESSAGES_IN_THREADS", "VIEW_CHANNEL")


@pytest.mark.parametrize("change", [delete, lock, archive, forbid])
async def test_a_place_that_is_taken_in_the_middle_of_an_answer(house: House, change: Callable[..., None]):
    """The answer is read to its end and stored; Discord is asked no more often than it takes to learn of it."""
    thread = await open_thread(house)
    house.gemini.set_faults([{"kind": "slow", "factor": 3}])
    said = house.discord.say(thread, content="write 120 words #q-1", user="Mina")
    await begun(house, thread, after=1)
    change(house, thread)
    await until(lambda: not house.bot.running.count)
    turn = await turn_of(house, said["id"])
    assert (turn.state, turn.error_kind) == ("answered", None)
    assert turn.delivered_at is not None
    house.gemini.set_faults([])
    await settled(house)


async def test_an_answer_whose_message_is_deleted_while_it_streams_does_not_come_back(house: House):
    """Whoever deleted it wanted it gone."""
    thread = await open_thread(house)
    house.gemini.set_faults([{"kind": "slow", "factor": 3}])
    said = house.discord.say(thread, content="write 120 words #q-1", user="Mina")
    shown = await begun(house, thread, after=1)
    house.discord.delete_message(shown["id"])
    await until(lambda: not house.bot.running.count)
    assert [m for m in house.said(thread) if "#q-1" in m["content"]] == []
    assert (await turn_of(house, said["id"])).delivered_at is not None
    house.gemini.set_faults([])
    assert "#q-2" in (await house.reply(thread, "and now? #q-2"))["content"]


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [("promptblock", "blocked", "safety"), ("safety", "blocked", "safety"), ("empty", "upstream", "proper")],
)
async def test_no_answer_is_said_once_and_stored_as_what_it_is(house: House, fault: str, kind: str, words: str):
    """One message within thirty seconds, no word of the service's own; the turn failed."""
    house.gemini.set_faults([{"kind": fault}])
    said = house.discord.say(house.channel("Mina"), content="something #q-1", user="Mina")
    async with asyncio.timeout(30.0):
        while house.bot.running.count or not house.said(house.channel("Mina")):  # noqa: ASYNC110 - over a connection
            await asyncio.sleep(0.05)
    [answer] = house.said(house.channel("Mina"))
    assert words in answer["content"]
    turn = await turn_of(house, said["id"])
    assert turn.delivered_at is not None
    assert (turn.state, turn.error_kind) == ("failed", kind)
    house.gemini.set_faults([])
    assert "#q-2" in (await house.reply(house.channel("Mina"), "else #q-2"))["content"]


@pytest.fixture
async def hasty(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A house in which interactions live shorter than the bot thinks; what Discord refuses is looked at by the test."""
    house = House(tmp_path, discord_limits=request.param)
    await house.open()
    try:
        await house.start()
        yield house
    finally:
        await house.close()


@pytest.mark.parametrize("hasty", [DiscordLimits(token_s=0.3)], indirect=True)
async def test_a_token_that_ends_in_the_middle_of_an_answer_moves_it_below(hasty: House):
    """After one refusal the answer goes on in a message of its own, whole and once."""
    hasty.gemini.set_faults([{"kind": "slow", "factor": 3}])
    general = hasty.channel("general")
    interaction = hasty.discord.invoke(general, name="ask", options={"prompt": "write 150 words #q-1"}, user="Mina")
    await until(lambda: len(hasty.said(general)) > 1 and not hasty.bot.running.count)
    whole = hasty.said(general)[-1]["content"]
    assert "#q-1" in whole
    assert len(whole.split()) >= 150
    assert [one["kind"] for one in hasty.discord.violations()] == ["token_expired"]
    assert (await turn_of(hasty, interaction)).answer_message_id == int(hasty.said(general)[-1]["id"])


@pytest.mark.parametrize("hasty", [DiscordLimits(ack_s=0.0)], indirect=True)
async def test_a_command_that_could_not_be_acknowledged_in_time_leaves_nothing(hasty: House, caplog):
    """Discord has told its user that it failed: nothing is stored, asked or counted, and the log says so in a line."""
    hasty.discord.invoke(hasty.channel("general"), name="ask", options={"prompt": "late #q-1"}, user="Mina")
    await until(lambda: "could not be delivered" in caplog.text and not hasty.bot.running.count)
    assert hasty.generated() == []
    assert hasty.said(hasty.channel("general")) == []
    assert await hasty.storage.conversations.unfinished() == []
    assert "Traceback" not in caplog.text
    assert "#q-2" in (await hasty.reply(hasty.channel("Mina"), "hello #q-2"))["content"]
