"""Scripted faults: what an unmodified discord.py makes of them, and that they are not held against it."""

from __future__ import annotations

import asyncio

import discord
import pytest

from tests.sandbox.discord.conftest import BotMaker, Server, until


async def test_a_429_is_waited_out(server: Server, start_bot: BotMaker):
    """With the Via header discord.py waits and sends again: the message is there once."""
    bot = await start_bot(server)
    server.emulator.faults.rate_limit("POST /channels/*/messages", times=2, retry_after=0.01)
    await bot.text_channel(server.channel("general")).send("patience")
    assert server.texts(server.channel("general")) == ["patience"]


async def test_a_429_without_via_is_raised(server: Server, start_bot: BotMaker):
    """Without the header it is taken for a ban by Cloudflare."""
    bot = await start_bot(server)
    server.emulator.faults.rate_limit("POST /channels/*/messages", via=False)
    with pytest.raises(discord.HTTPException) as caught:
        await bot.text_channel(server.channel("general")).send("banned")
    assert caught.value.status == 429


async def test_a_failing_server_is_asked_again(server: Server, start_bot: BotMaker, monkeypatch: pytest.MonkeyPatch):
    """502 is retried after a pause that this test does not wait for."""
    bot = await start_bot(server)
    pauses: list[float] = []
    real_sleep = asyncio.sleep

    async def no_pause(seconds: float) -> None:
        pauses.append(seconds)
        await real_sleep(0)

    server.emulator.faults.fail("POST /channels/*/messages", times=2)
    monkeypatch.setattr("discord.http.asyncio.sleep", no_pause)
    await bot.text_channel(server.channel("general")).send("at last")
    monkeypatch.undo()
    assert server.texts(server.channel("general")) == ["at last"]
    assert [pause for pause in pauses if pause >= 1] == [1, 3]


async def test_a_slow_answer_is_done_at_once(server: Server, start_bot: BotMaker):
    """The message is there before the answer comes."""
    bot = await start_bot(server)
    server.emulator.faults.delay("POST /channels/*/messages", 0.2)
    sending = asyncio.create_task(bot.text_channel(server.channel("general")).send("slow"))
    await until(lambda: server.texts(server.channel("general")))
    assert not sending.done()
    await sending


async def test_a_lost_permission_is_refused_and_can_be_given_back(server: Server, start_bot: BotMaker):
    """The bot hears of the change, is refused once without blame, and may again later."""
    bot = await start_bot(server)
    general = server.channel("general")
    server.emulator.take_permission(general, "SEND_MESSAGES")
    with pytest.raises(discord.Forbidden) as caught:
        await bot.text_channel(general).send("x")
    assert caught.value.code == 50013
    server.emulator.give_permission(general, "SEND_MESSAGES")
    await bot.text_channel(general).send("y")
    assert server.texts(general) == ["y"]


async def test_a_hidden_channel_is_out_of_reach(server: Server, start_bot: BotMaker):
    """Without View Channel there is nothing to hear and nothing to do."""
    bot = await start_bot(server)
    general = server.channel("general")
    server.emulator.take_permission(general, "VIEW_CHANNEL")
    server.emulator.say(general, content="behind the door", user="Mina")
    with pytest.raises(discord.Forbidden) as caught:
        await bot.fetch_channel(int(general))
    assert caught.value.code == 50001
    assert bot.heard == []


def test_an_unknown_intent_cannot_be_refused():
    """The sentence names those there are."""
    from sandbox.discord.faults import Faults  # noqa: PLC0415  needs no server

    with pytest.raises(ValueError, match="message_content"):
        Faults().refuse_intent("typing")
