"""The bot's place in its server: thrown out, taken in again, and an outage that is neither."""

from __future__ import annotations

import pytest

from sandbox.discord import ActionError
from tests.sandbox.discord.conftest import BotMaker, Raw, Server, until


async def test_a_removal_is_told_as_discord_tells_it(raw: Raw, server: Server):
    """GUILD_DELETE says ``unavailable`` false; the next READY lists no server; being taken in brings GUILD_CREATE."""
    gateway = await raw.ready_gateway()
    server.emulator.set_membership("out")
    assert (await gateway.event("GUILD_DELETE"))["unavailable"] is False
    again = await raw.gateway()
    await again.identify(server.emulator.bot_token)
    assert (await again.event("READY"))["guilds"] == []
    server.emulator.set_membership("in")
    assert (await again.event("GUILD_CREATE"))["id"] == server.emulator.guild_id


async def test_an_outage_is_told_as_such(raw: Raw, server: Server):
    """GUILD_DELETE says ``unavailable`` true; READY still lists the server, whose data does not follow."""
    gateway = await raw.ready_gateway()
    server.emulator.set_membership("outage")
    assert (await gateway.event("GUILD_DELETE"))["unavailable"] is True
    again = await raw.gateway()
    await again.identify(server.emulator.bot_token)
    [listed] = (await again.event("READY"))["guilds"]
    assert listed == {"id": server.emulator.guild_id, "unavailable": True}
    server.emulator.set_membership("in")
    assert (await again.event("GUILD_CREATE"))["id"] == server.emulator.guild_id


async def test_the_library_tells_both_apart(start_bot: BotMaker, server: Server):
    """discord.py drops the server after a removal and keeps it in an outage."""
    bot = await start_bot(server)
    server.emulator.set_membership("outage")
    await until(lambda: bot.guilds[0].unavailable)
    server.emulator.set_membership("in")
    await until(lambda: not bot.guilds[0].unavailable)
    server.emulator.set_membership("out")
    await until(lambda: not bot.guilds)
    assert [user["name"] for user in server.emulator.state()["users"] if user["bot"]] == []


def test_an_unknown_state_is_one_sentence(server: Server):
    """A mistake in a script is named."""
    with pytest.raises(ActionError, match="one of in, out, outage"):
        server.emulator.set_membership("away")
