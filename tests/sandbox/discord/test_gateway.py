"""The gateway: compression, RESUME with replay, lost connections, protocol errors."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable

import pytest
import zstandard

from sandbox.clock import SandboxClock
from sandbox.discord import ActionError, DiscordEmulator
from sandbox.events import EventBus
from tests.sandbox.discord.conftest import BotMaker, Raw, Server, ServerMaker, until


@pytest.mark.parametrize("kind", ["close", "reconnect"])
async def test_a_dropped_connection_is_resumed(server: Server, start_bot: BotMaker, kind: str):
    """After a lost socket and after op 7 the bot resumes and hears on."""
    bot = await start_bot(server)
    server.emulator.drop_gateway(kind)
    await until(bot.resumed.is_set)
    server.emulator.say(server.channel("general"), content="after", user="Mina")
    await until(lambda: [m.content for m in bot.heard] == ["after"])


async def test_missed_events_are_replayed_in_order(raw: Raw, server: Server):
    """What happened while the connection was away comes before RESUMED."""
    gateway = await raw.ready_gateway()
    session_id = next(f["d"]["session_id"] for f in gateway.seen if f["t"] == "READY")
    sequence = gateway.seen[-1]["s"]
    server.emulator.drop_gateway("close")
    assert await gateway.closed() == 1012
    for text in ("one", "two"):
        server.emulator.say(server.channel("general"), content=text, user="Mina")
    again = await raw.gateway()
    await again.send(6, {"token": server.emulator.bot_token, "session_id": session_id, "seq": sequence})
    await again.event("RESUMED")
    assert [f["d"]["content"] for f in again.seen if f["t"] == "MESSAGE_CREATE"] == ["one", "two"]
    assert server.emulator.state()["bot"]["online"]


async def test_an_unknown_session_is_invalid(raw: Raw, server: Server):
    """RESUME of a session that ended answers op 9 with false."""
    gateway = await raw.gateway()
    await gateway.send(6, {"token": server.emulator.bot_token, "session_id": "gone", "seq": 1})
    assert (await gateway.until(lambda f: f["op"] == 9))["d"] is False


async def test_a_session_waits_three_minutes_for_its_client(raw: Raw, server: Server):
    """Whoever comes back later has to identify anew."""
    gateway = await raw.ready_gateway()
    session_id = next(f["d"]["session_id"] for f in gateway.seen if f["t"] == "READY")
    server.emulator.drop_gateway("close")
    await gateway.closed()
    await until(lambda: not server.emulator.state()["bot"]["online"])
    server.ahead_s = 181
    again = await raw.gateway()
    await again.send(6, {"token": server.emulator.bot_token, "session_id": session_id, "seq": 1})
    await again.until(lambda f: f["op"] == 9)


def test_an_unknown_disturbance_is_a_sentence():
    """The kinds are named."""
    with pytest.raises(ActionError, match="one of close, reconnect, invalid, heartbeat"):
        DiscordEmulator(SandboxClock(), EventBus()).drop_gateway("explode")


async def test_an_invalidated_session_identifies_again(raw: Raw, server: Server):
    """Op 9 ends the session; the same connection may identify anew."""
    gateway = await raw.ready_gateway()
    server.emulator.drop_gateway("invalid")
    await gateway.until(lambda f: f["op"] == 9)
    await gateway.identify(server.emulator.bot_token)
    await gateway.event("READY")


async def test_closing_with_1000_ends_the_session(raw: Raw, server: Server):
    """A clean goodbye makes the bot look offline and the session cannot be resumed."""
    gateway = await raw.ready_gateway()
    await gateway.socket.close(code=1000)
    await until(lambda: not server.emulator.state()["bot"]["online"])
    session_id = next(f["d"]["session_id"] for f in gateway.seen if f["t"] == "READY")
    again = await raw.gateway()
    await again.send(6, {"token": server.emulator.bot_token, "session_id": session_id, "seq": 1})
    await again.until(lambda f: f["op"] == 9)


async def test_an_invisible_bot_looks_offline(raw: Raw, server: Server):
    """Presence is how a bot takes its leave before it closes."""
    gateway = await raw.ready_gateway()
    await gateway.send(3, {"status": "invisible", "activities": [], "since": 0, "afk": False})
    await until(lambda: not server.emulator.state()["bot"]["online"])


async def test_heartbeats_are_acknowledged(raw: Raw):
    """A heartbeat is answered by op 11, before IDENTIFY too."""
    gateway = await raw.gateway()
    await gateway.send(1, None)
    await gateway.until(lambda f: f["op"] == 11)


async def test_a_heartbeat_asked_for_is_given_by_discord_py(server: Server, start_bot: BotMaker):
    """discord.py answers op 1 at once; the connection stays."""
    bot = await start_bot(server)
    server.emulator.drop_gateway("heartbeat")
    server.emulator.say(server.channel("general"), content="still here", user="Mina")
    await until(lambda: bot.heard)


def _unzlib() -> Callable[[bytes], str]:
    stream = zlib.decompressobj()
    return lambda data: stream.decompress(data).decode()


def _unzstd() -> Callable[[bytes], str]:
    stream = zstandard.ZstdDecompressor().decompressobj()
    return lambda data: stream.decompress(data).decode()


@pytest.mark.parametrize(("name", "decoder"), [("zlib-stream", _unzlib), ("zstd-stream", _unzstd)])
async def test_a_compressed_stream_is_readable_frame_by_frame(
    raw: Raw, server: Server, name: str, decoder: Callable[[], Callable[[bytes], str]]
):
    """Each frame can be read as it comes; one stream runs over all of them."""
    gateway = await raw.gateway(f"?v=10&encoding=json&compress={name}")
    decode = decoder()
    events = []
    await gateway.identify(server.emulator.bot_token)
    while "GUILD_CREATE" not in events:
        events.append(json.loads(decode(await gateway.socket.receive_bytes()))["t"])
    assert events == [None, "READY", "GUILD_CREATE"]


async def test_discord_py_reads_zlib_too(server: Server, start_bot: BotMaker, monkeypatch: pytest.MonkeyPatch):
    """Where zstandard is missing discord.py asks for zlib-stream."""
    import discord.utils  # noqa: PLC0415  patched here only

    class Zlib:
        """What discord.py itself defines where zstandard is missing: one inflating stream per socket."""

        COMPRESSION_TYPE = "zlib-stream"

        def __init__(self) -> None:
            self._stream = zlib.decompressobj()

        def decompress(self, data: bytes) -> str:
            return self._stream.decompress(data).decode()

    monkeypatch.setattr(discord.utils, "_ActiveDecompressionContext", Zlib)
    bot = await start_bot(server)
    server.emulator.say(server.channel("general"), content="壓縮", user="小美")
    await until(lambda: [m.content for m in bot.heard] == ["壓縮"])


@pytest.mark.parametrize(
    ("intents", "code"),
    [(1 << 40, 4013), (1 << 15, 4014)],
)
async def test_intents_that_are_not_allowed_close(raw: Raw, server: Server, intents: int, code: int):
    """Unknown intents close with 4013, privileged ones that are off with 4014."""
    server.emulator.faults.refuse_intent("message_content")
    gateway = await raw.gateway()
    await gateway.identify(server.emulator.bot_token, intents)
    assert await gateway.closed() == code


async def test_a_bad_token_closes_with_4004(raw: Raw):
    """The gateway knows only the bot's token."""
    gateway = await raw.gateway()
    await gateway.identify("nonsense")
    assert await gateway.closed() == 4004


async def test_events_come_only_with_their_intent(raw: Raw, server: Server):
    """Without the intents for messages there are no messages."""
    gateway = await raw.gateway()
    await gateway.identify(server.emulator.bot_token, 1)
    await gateway.event("GUILD_CREATE")
    server.emulator.say(server.channel("general"), content="unheard", user="Mina")
    await gateway.send(1, None)
    await gateway.until(lambda f: f["op"] == 11)
    assert not [f for f in gateway.seen if f["t"] == "MESSAGE_CREATE"]


async def test_members_are_sent_in_a_chunk(raw: Raw, server: Server):
    """Op 8 answers with the members asked for."""
    gateway = await raw.ready_gateway()
    await gateway.send(8, {"guild_id": server.emulator.guild_id, "user_ids": [server.user("小美")], "limit": 0})
    chunk = await gateway.event("GUILD_MEMBERS_CHUNK")
    assert [member["user"]["username"] for member in chunk["members"]] == ["xiaomei"]


async def test_a_shard_gets_only_its_guilds(raw: Raw, server: Server):
    """The guild lives on one shard, direct messages on the first."""
    home = (int(server.emulator.guild_id) >> 22) % 2
    other = await raw.gateway()
    body = {"token": server.emulator.bot_token, "intents": 1 << 9, "properties": {}, "shard": [1 - home, 2]}
    await other.send(2, body)
    assert (await other.event("READY"))["guilds"] == []


async def test_a_reset_brings_the_bot_back_into_a_fresh_world(make_server: ServerMaker, start_bot: BotMaker):
    """Messages are gone, commands stay, and the bot has to identify anew."""
    server = await make_server()

    def setup(bot: object) -> None:
        from tests.sandbox.discord.test_interactions import commands  # noqa: PLC0415  shared by one test

        commands(bot)  # type: ignore[arg-type]  # the bot of conftest

    await start_bot(server, setup)
    general = server.channel("general")
    server.emulator.say(general, content="before", user="Mina")
    server.emulator.reset()
    assert server.channel("general") == general
    assert server.texts(general) == []
    assert "ask" in [command["name"] for command in server.emulator.state()["commands"]]
    assert not server.emulator.state()["bot"]["online"]
