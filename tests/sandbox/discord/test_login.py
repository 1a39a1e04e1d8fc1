"""How an unmodified discord.py gets in, and how it is kept out."""

from __future__ import annotations

import discord
import pytest

from tests.sandbox.discord.conftest import BotMaker, Server, until


async def test_a_bot_logs_in_and_sees_the_guild(server: Server, start_bot: BotMaker):
    """After login the bot knows the guild, its channels and its own permissions."""
    bot = await start_bot(server)
    assert [guild.name for guild in bot.guilds] == ["Sandbox"]
    guild = bot.guilds[0]
    assert {channel.name for channel in guild.text_channels} == {"general", "questions", "media", "staff"}
    assert guild.me.guild_permissions.send_messages_in_threads
    assert not guild.me.guild_permissions.mention_everyone
    assert server.emulator.state()["bot"]["online"]


async def test_the_application_names_its_owner_and_intents(server: Server, start_bot: BotMaker):
    """The owner is the guild's owner, and the flags tell that message content is switched on."""
    bot = await start_bot(server)
    info = await bot.application_info()
    assert info.owner.display_name == "Ada"
    assert info.flags.gateway_message_content_limited


async def test_a_wrong_token_is_a_login_failure(server: Server):
    """A token that is not the bot's is refused once, which is how a client learns of it."""
    client = discord.Client(intents=discord.Intents.none())
    with pytest.raises(discord.LoginFailure):
        await client.start("not-a-token")
    await client.close()


async def test_a_refused_token_fails_like_a_wrong_one(server: Server):
    """A token that was reset in the portal no longer works."""
    server.emulator.faults.refuse_token()
    client = discord.Client(intents=discord.Intents.none())
    with pytest.raises(discord.LoginFailure):
        await client.start(server.emulator.bot_token)
    await client.close()


async def test_a_refused_intent_stops_the_bot(server: Server, start_bot: BotMaker):
    """Close code 4014 becomes discord.py's own error."""
    server.emulator.faults.refuse_intent("message_content")
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await start_bot(server)


async def test_without_the_content_intent_text_is_hidden_but_for_mentions_and_dms(server: Server, start_bot: BotMaker):
    """Content is empty unless the message mentions the bot or is a direct message."""
    server.emulator.faults.refuse_intent("message_content")
    bot = await start_bot(server, content=False)
    general, direct = server.channel("general"), server.channel("Mina")
    me = server.emulator.state()["bot"]["id"]
    server.emulator.say(general, content="a secret", user="Mina")
    server.emulator.say(general, content=f"<@{me}> hello", user="Mina")
    server.emulator.say(direct, content="in private", user="Mina")
    await until(lambda: len(bot.heard) == 3)
    assert [message.content for message in bot.heard] == ["", f"<@{me}> hello", "in private"]
    fetched = [message async for message in bot.text_channel(general).history()]
    assert [message.content for message in fetched] == [f"<@{me}> hello", ""]


async def test_an_auto_sharded_bot_asks_for_the_shards(server: Server):
    """GET /gateway/bot names the emulator's own gateway and one shard."""
    client = discord.AutoShardedClient(intents=discord.Intents.default(), guild_ready_timeout=0.01)
    await client.login(server.emulator.bot_token)
    shards, url, limit = await client.http.get_bot_gateway()
    assert (shards, url) == (1, server.base.replace("http", "ws") + "/gateway")
    assert limit["max_concurrency"] == 1
    await client.close()
