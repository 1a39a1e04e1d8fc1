"""Threads: opened, answered in, archived, locked, found again."""

from __future__ import annotations

import discord
import pytest

from tests.sandbox.discord.conftest import BotMaker, Server, until


async def test_a_thread_from_a_message_has_its_id(server: Server, start_bot: BotMaker):
    """There is one thread per message; its first message is Discord's own."""
    bot = await start_bot(server)
    general = server.channel("general")
    message = await bot.text_channel(general).send("start here")
    thread = await message.create_thread(name="A chat")
    assert thread.id == message.id
    await thread.send("hello")
    assert [m["type"] for m in server.emulator.messages(str(thread.id))] == [21, 0]
    assert server.emulator.messages(general)[0]["flags"] & 32
    assert [t["name"] for t in server.emulator.state()["threads"]] == ["A chat"]
    with pytest.raises(discord.HTTPException) as caught:
        await message.create_thread(name="Another")
    assert caught.value.code == 160004
    server.expected = ["provoked_400"]


async def test_public_and_private_threads_are_opened_alone(server: Server, start_bot: BotMaker):
    """A public one leaves a note in the channel; a private one is seen by its members only."""
    bot = await start_bot(server)
    questions = server.channel("questions")
    channel = bot.text_channel(questions)
    public = await channel.create_thread(name="open", type=discord.ChannelType.public_thread)
    private = await channel.create_thread(name="closed")
    assert [m["type"] for m in server.emulator.messages(questions)] == [18]
    server.emulator.say(str(public.id), content="hi", user="Mina")
    with pytest.raises(Exception, match="cannot see"):
        server.emulator.say(str(private.id), content="hi", user="Mina")
    await private.add_user(discord.Object(server.user("Mina")))
    server.emulator.say(str(private.id), content="now", user="Mina")
    assert server.texts(str(private.id)) == ["now"]
    shown = {thread["name"]: thread["member_ids"] for thread in server.emulator.state()["threads"]}
    assert server.user("Mina") in shown["closed"]
    members = await private.fetch_members()
    assert {member.id for member in members} == {bot.user and bot.user.id, int(server.user("Mina"))}


async def test_an_archived_thread_wakes_when_somebody_speaks(server: Server, start_bot: BotMaker):
    """After a restart the bot does not know the archived thread; the update comes before the message."""
    first = await start_bot(server)
    message = await first.text_channel(server.channel("general")).send("start")
    thread = await message.create_thread(name="sleepy", auto_archive_duration=60)
    await first.close()
    server.emulator.archive_thread(str(thread.id))
    second = await start_bot(server)
    assert second.get_channel(thread.id) is None
    server.emulator.say(str(thread.id), content="wake up", user="Mina")
    await until(lambda: second.heard)
    assert isinstance(second.heard[0].channel, discord.Thread)
    assert not server.emulator.state()["threads"][0]["thread_metadata"]["archived"]


async def test_the_bot_wakes_a_thread_by_sending(server: Server, start_bot: BotMaker):
    """Sending re-opens an archived thread, editing in it does not work."""
    bot = await start_bot(server)
    thread = await bot.text_channel(server.channel("general")).create_thread(
        name="t", type=discord.ChannelType.public_thread
    )
    message = await thread.send("one")
    server.emulator.archive_thread(str(thread.id))
    with pytest.raises(discord.HTTPException) as caught:
        await message.edit(content="two")
    assert caught.value.code == 50083
    await thread.send("three")
    await message.edit(content="two")
    assert server.texts(str(thread.id)) == ["two", "three"]
    found = await bot.fetch_channel(thread.id)
    assert isinstance(found, discord.Thread)
    assert not found.archived


async def test_the_owner_renames_and_archives_but_cannot_lock(server: Server, start_bot: BotMaker):
    """Manage Threads is needed for more than one's own thread's name and rest."""
    bot = await start_bot(server)
    thread = await bot.text_channel(server.channel("general")).create_thread(
        name="t", type=discord.ChannelType.public_thread
    )
    await thread.edit(name="renamed", archived=True)
    state = server.emulator.state()["threads"][0]
    assert (state["name"], state["thread_metadata"]["archived"]) == ("renamed", True)
    with pytest.raises(discord.Forbidden):
        await thread.edit(locked=True)
    server.expected = ["provoked_403"]


async def test_archived_and_active_threads_are_listed(server: Server, start_bot: BotMaker):
    """What is archived is found by the channel, what is active by the guild."""
    bot = await start_bot(server)
    channel = bot.text_channel(server.channel("general"))
    old = await channel.create_thread(name="old", type=discord.ChannelType.public_thread)
    await channel.create_thread(name="new", type=discord.ChannelType.public_thread)
    server.emulator.archive_thread(str(old.id))
    assert [thread.name async for thread in channel.archived_threads()] == ["old"]
    assert [thread.name for thread in await bot.guilds[0].active_threads()] == ["new"]


async def test_a_lock_in_mid_answer_is_learned_once(server: Server, start_bot: BotMaker):
    """The first refusal tells the bot; the second send is its own fault."""
    bot = await start_bot(server)
    thread = await bot.text_channel(server.channel("general")).create_thread(
        name="t", type=discord.ChannelType.public_thread
    )
    server.emulator.archive_thread(str(thread.id), archived=True, locked=True)
    with pytest.raises(discord.Forbidden) as caught:
        await thread.send("more")
    assert caught.value.code == 160005
    assert server.kinds == []


async def test_a_deleted_thread_is_learned_once(server: Server, start_bot: BotMaker):
    """Sending into a thread that somebody deleted answers 10003."""
    bot = await start_bot(server)
    thread = await bot.text_channel(server.channel("general")).create_thread(
        name="t", type=discord.ChannelType.public_thread
    )
    server.emulator.delete_channel(str(thread.id))
    await until(lambda: bot.get_channel(thread.id) is None)
    with pytest.raises(discord.NotFound) as caught:
        await thread.send("more")
    assert caught.value.code == 10003


async def test_people_open_threads_too(server: Server, start_bot: BotMaker):
    """The bot hears messages of public threads it is not in."""
    bot = await start_bot(server)
    said = server.emulator.say(server.channel("general"), content="topic", user="Mina")
    thread = server.emulator.open_thread(said["id"], name="Mina's", user="Mina")
    server.emulator.say(thread["id"], content="inside", user="Mina")
    await until(lambda: bot.heard and bot.heard[-1].content == "inside")
    assert bot.heard[-1].channel.id == int(thread["id"])


async def test_the_bot_leaves_and_joins_a_thread(server: Server, start_bot: BotMaker):
    """Membership is the bot's own to change in a public thread."""
    bot = await start_bot(server)
    thread = await bot.text_channel(server.channel("general")).create_thread(
        name="t", type=discord.ChannelType.public_thread
    )
    await thread.leave()
    assert [member.id for member in await thread.fetch_members()] == []
    await thread.join()
    assert [member.id for member in await thread.fetch_members()] == [bot.user and bot.user.id]


async def test_thread_names_and_archive_times_are_checked(server: Server, start_bot: BotMaker):
    """A name has 1 to 100 characters."""
    bot = await start_bot(server)
    channel = bot.text_channel(server.channel("general"))
    with pytest.raises(discord.HTTPException) as caught:
        await channel.create_thread(name="x" * 101)
    assert caught.value.code == 50035
    with pytest.raises(discord.HTTPException):
        await channel.create_thread(name="x", auto_archive_duration=61)  # type: ignore[arg-type]  # wrong on purpose
    server.expected = server.kinds
    assert [kind for kind in server.kinds if not kind.startswith("schema")] == ["body_limit", "provoked_400"]


async def test_direct_messages_have_no_threads(server: Server, start_bot: BotMaker):
    """A message of a direct message cannot carry one."""
    bot = await start_bot(server)
    user = await bot.fetch_user(int(server.user("Mina")))
    message = await user.send("hello")
    with pytest.raises(discord.HTTPException) as caught:
        await bot.http.start_thread_with_message(message.channel.id, message.id, name="t", auto_archive_duration=1440)
    assert caught.value.code == 50024
    server.expected = ["provoked_400"]
