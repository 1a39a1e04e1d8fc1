"""The places of an answer in Discord: the unmodified discord.py against the emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import discord
import pytest
from aiohttp import web
from discord import app_commands

from sandbox.clock import SandboxClock
from sandbox.discord import DiscordEmulator
from sandbox.events import EventBus
from sandbox.redirect import redirect_discord
from utils.rendering.discord import ChannelTarget, InteractionTarget
from utils.rendering.errors import PlaceGoneError
from utils.rendering.writer import TextFile

TOKEN_LIFE_S = 15 * 60


class Probe(discord.Client):
    """A bot with one command, which defers and hands its interaction to the test."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default(), guild_ready_timeout=0.05)
        self.tree = app_commands.CommandTree(self)
        self.ready = asyncio.Event()
        self.interactions: asyncio.Queue[discord.Interaction[Any]] = asyncio.Queue()

        @self.tree.command(name="probe", description="Defers")
        async def probe(interaction: discord.Interaction) -> None:
            await interaction.response.defer(thinking=True)
            await self.interactions.put(interaction)

    async def setup_hook(self) -> None:
        """Register the command."""
        await self.tree.sync()

    async def on_ready(self) -> None:
        """Note that the server is there."""
        self.ready.set()


class Rig:
    """The emulator, the bot and the channel they meet in."""

    def __init__(self) -> None:
        self.discord = DiscordEmulator(SandboxClock(), EventBus())
        self.bot = Probe()
        self.expected_violations: list[str] = []

    @property
    def channel_id(self) -> str:
        """The id of #general."""
        return next(str(found["id"]) for found in self.discord.state()["channels"] if found["name"] == "general")

    @property
    def channel(self) -> discord.TextChannel:
        """#general, as the bot knows it."""
        found = self.bot.get_channel(int(self.channel_id))
        assert isinstance(found, discord.TextChannel)
        return found

    def messages(self) -> list[dict[str, Any]]:
        """The bot's messages in #general."""
        me = self.discord.state()["bot"]["id"]
        return [message for message in self.discord.messages(self.channel_id) if message["author"]["id"] == me]

    async def interaction(self) -> discord.Interaction[Any]:
        """A deferred interaction."""
        self.discord.invoke(self.channel_id, name="probe", options={}, user="Mina")
        async with asyncio.timeout(10):
            return await self.bot.interactions.get()


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig()
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(made.discord.app())
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = "{}:{}".format(*runner.addresses[0][:2])
        made.discord.listening(f"http://{address}")
        stack.callback(redirect_discord(f"http://{address}/api/v10", f"ws://{address}/gateway", f"http://{address}"))
        connection = asyncio.create_task(made.bot.start(made.discord.bot_token))
        try:
            async with asyncio.timeout(10):
                await made.bot.ready.wait()
            yield made
        finally:
            await made.bot.close()
            await asyncio.wait([connection])
        assert [violation["kind"] for violation in made.discord.violations()] == made.expected_violations


async def test_a_channels_answer_is_one_message_that_is_edited(rig: Rig):
    """The message's place is told; link previews stay hidden and nobody is mentioned."""
    target = ChannelTarget(rig.channel)
    first = await target.show("Hello @everyone https://example.org")
    second = await target.show("Hello again")
    assert first == second
    (message,) = rig.messages()
    assert (int(message["channel_id"]), int(message["id"])) == (first.channel_id, first.message_id)
    assert message["content"] == "Hello again"
    assert message["flags"] & discord.MessageFlags(suppress_embeds=True).value
    assert not message["mention_everyone"]
    assert not message["mentions"]


async def test_a_reply_refers_to_its_message_without_a_ping(rig: Rig):
    """Who asked sees what was answered, and is not called."""
    said = rig.discord.say(rig.channel_id, content="Hi", user="Mina")
    question = await rig.channel.fetch_message(int(said["id"]))
    await ChannelTarget(rig.channel, reply_to=question).show("Hello")
    (message,) = rig.messages()
    assert message["message_reference"]["message_id"] == said["id"]
    assert not message["mentions"]


async def test_the_last_state_may_be_several_messages_or_one_with_a_file(rig: Rig):
    """Further texts follow in order; a file is attached to the first message."""
    target = ChannelTarget(rig.channel)
    await target.show("one…")
    await target.finish(["one", "two", "three"], None)
    assert [message["content"] for message in rig.messages()] == ["one", "two", "three"]
    await target.finish(["short"], TextFile("answer.md", b"# all of it"))
    first = rig.messages()[0]
    assert first["content"] == "short"
    assert [(file["filename"], file["size"]) for file in first["attachments"]] == [("answer.md", 11)]
    await ChannelTarget(rig.channel).finish(["new"], TextFile("answer.md", b"#"))
    assert rig.messages()[-1]["attachments"][0]["filename"] == "answer.md"


async def test_waiting_types_until_it_is_left(rig: Rig):
    """The channel shows that an answer is coming."""
    async with ChannelTarget(rig.channel).waiting():
        pass
    assert [entry["path"] for entry in rig.discord.diary() if entry["path"].endswith("/typing")]


async def test_a_message_that_is_gone_is_told_apart(rig: Rig):
    """An answer whose message was deleted has no place any more, and no text of Discord's comes out."""
    target = ChannelTarget(rig.channel)
    place = await target.show("Hello")
    await rig.channel.get_partial_message(place.message_id).delete()
    with pytest.raises(PlaceGoneError, match=r"404, code 10008"):
        await target.show("Hello again")
    # nobody tells a target that its message was deleted: one request has to find it out
    rig.expected_violations = ["provoked_404"]


async def test_an_interactions_answer_edits_the_deferred_message_and_goes_on_below(rig: Rig):
    """The first text takes the place of the thinking; later ones follow it."""
    target = InteractionTarget(await rig.interaction())
    async with target.waiting():
        pass
    place = await target.show("Hello")
    await target.finish(["Hello there", "and more"], TextFile("answer.md", b"#"))
    first, second = rig.messages()
    assert (int(first["id"]), first["content"], second["content"]) == (place.message_id, "Hello there", "and more")
    assert first["attachments"][0]["filename"] == "answer.md"


async def test_before_the_interaction_ends_the_answer_moves_to_a_message_of_its_own(rig: Rig):
    """A minute before the token's end the old message points below, and the new one carries the whole answer."""
    interaction = await rig.interaction()
    born_at = interaction.created_at.timestamp()
    now = born_at
    target = InteractionTarget(interaction, wall=lambda: now)
    before = await target.show("Half")
    now = born_at + TOKEN_LIFE_S - 59
    after = await target.show("More")
    assert after.message_id != before.message_id
    assert [message["content"] for message in rig.messages()] == ["The answer goes on in the message below.", "More"]
    now = born_at + 2 * TOKEN_LIFE_S
    await target.finish(["All of it", "and the rest"], None)
    assert [message["content"] for message in rig.messages()][1:] == ["All of it", "and the rest"]


async def test_an_interaction_that_is_over_is_not_used(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """Where the bot may not write, a dead token is not tried: refused requests count against the bot."""
    interaction = await rig.interaction()
    monkeypatch.setattr(interaction, "_app_permissions", 0)
    born_at = interaction.created_at.timestamp()
    now = born_at + TOKEN_LIFE_S - 30
    target = InteractionTarget(interaction, wall=lambda: now)
    await target.show("Still here")
    requests = len(rig.discord.diary())
    now = born_at + TOKEN_LIFE_S + 1
    with pytest.raises(PlaceGoneError):
        await target.show("Too late")
    assert len(rig.discord.diary()) == requests
    assert [message["content"] for message in rig.messages()] == ["Still here"]
