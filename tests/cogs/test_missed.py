"""What was said to the bot in channels while it could not hear is answered afterwards, once."""

from __future__ import annotations

import asyncio

from tests.cogs.conftest import PATIENCE_S, House, until
from tests.cogs.talk import settled


def answers(house: House, channel: str, mark: str) -> int:
    """Count the bot's messages with a mark."""
    return sum(f"Answer to {mark}" in message["content"] for message in house.said(channel))


async def listening(house: House) -> None:
    """Wait until the bot has noted from when on it hears."""
    async with asyncio.timeout(PATIENCE_S):
        while await house.storage.meta.get("gateway.newest_message") is None:  # noqa: ASYNC110 - in a database
            await asyncio.sleep(0.01)


async def answered(house: House, channel: str, mark: str) -> None:
    """Wait for an answer with a mark, and until nothing more comes."""
    await until(lambda: answers(house, channel, mark) and not house.bot.running.count)
    await settled(house)
    assert answers(house, channel, mark) == 1


async def test_mentions_and_replies_are_answered_after_a_restart(house: House):
    """In the order they were said, each once; what was answered before, and talk among people, is left alone."""
    general, questions = house.channel("general"), house.channel("questions")
    await listening(house)
    before = await house.reply(general, f"{house.mention} hello #q-1")
    await house.stop()
    house.discord.say(general, content="just talking #q-2", user="Ada")
    house.discord.say(general, content="and again? #q-3", user="Mina", reply_to=before["id"])
    house.discord.say(questions, content=f"{house.mention} hello #q-4", user="Mina")
    await house.start()
    await answered(house, general, "#q-3")
    await answered(house, questions, "#q-4")
    assert [answers(house, general, mark) for mark in ("#q-1", "#q-2")] == [1, 0]
    await house.stop()
    await house.start()
    await settled(house)
    assert [answers(house, general, mark) for mark in ("#q-1", "#q-3")] == [1, 1]


async def test_a_mention_that_a_lost_session_swallowed_is_answered(house: House):
    """The gateway began anew instead of resuming."""
    general = house.channel("general")
    await listening(house)
    await house.reply(general, f"{house.mention} hello #q-1")
    house.discord.drop_gateway("invalid")
    house.discord.say(general, content=f"{house.mention} lost #q-2", user="Mina")
    await answered(house, general, "#q-2")


async def test_what_was_said_before_the_first_start_is_nobodys_question(made: House):
    """A bot that comes into a server does not answer its history."""
    made.discord.say(made.channel("general"), content=f"{made.mention} long ago #q-1", user="Mina")
    await made.start()
    await settled(made)
    assert answers(made, made.channel("general"), "#q-1") == 0


async def test_a_refused_mention_is_not_refused_again(house: House):
    """The bot has replied to it, though nothing was stored."""
    general = house.channel("general")
    await house.reply(general, house.mention)
    await house.stop()
    await house.start()
    await settled(house)
    assert len(house.said(general)) == 1


async def test_channels_that_the_bot_may_not_read_are_not_asked_for(house: House):
    """A refusal of Discord's would count against the bot."""
    media = house.channel("media")
    await house.stop()
    house.discord.say(media, content=f"{house.mention} hidden #q-1", user="Mina")
    house.discord.take_permission(media, "READ_MESSAGE_HISTORY")
    await house.start()
    await settled(house)
    assert answers(house, media, "#q-1") == 0


async def test_first_direct_messages_are_answered_with_the_next_one(house: House):
    """That there is such a channel is known only once something is said in it; then all of it is one question."""
    direct = house.channel("Mina")
    await house.stop()
    house.discord.say(direct, content="anybody there? #q-1", user="Mina")
    house.discord.say(direct, content="my cat is called Mimi", user="Mina")
    await house.start()
    await settled(house)
    assert house.said(direct) == []
    await house.reply(direct, "what is she called? #q-2")
    await settled(house)
    assert len(house.said(direct)) == 1
    asked = next(e for e in house.generated() if "Mimi" in str(e["turns"]))
    assert "#q-1" in str(asked["turns"])
    assert "#q-2" in str(asked["turns"])


async def test_a_restricted_chat_stays_restricted_for_what_was_missed(house: House):
    """Messages that are looked up bear no roles; they are asked for where they matter."""
    general = house.channel("general")
    await listening(house)
    await house.preferences.restrict(int(house.discord.guild_id), "command", "chat", 1)
    await house.stop()
    house.discord.say(general, content=f"{house.mention} hello #q-1", user="Mina")
    await house.start()
    await until(lambda: house.said(general) and not house.bot.running.count)
    assert answers(house, general, "#q-1") == 0
    assert "certain roles" in house.said(general)[0]["content"]
