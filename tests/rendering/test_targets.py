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
from utils.rendering.discord import ChannelTarget, InteractionTarget, TokenTarget
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


class Buttons:
    """One button while an answer is given, another once it has ended."""

    def running(self) -> discord.ui.View | None:
        return self._view("stop")

    async def ended(self) -> discord.ui.View | None:
        return self._view("again")

    def _view(self, name: str) -> discord.ui.View:
        view = discord.ui.View(timeout=None)
        view.add_item(discord.ui.Button(label=name, custom_id=name))
        view.stop()
        return view


def buttons(message: dict[str, Any]) -> list[str]:
    """The ids of the buttons under a message."""
    return [part["custom_id"] for row in message["components"] for part in row["components"]]


async def test_buttons_stand_under_the_last_message_once_an_answer_has_ended(rig: Rig):
    """While it is given they stand under its one message; edits in between leave them as they are."""
    target = ChannelTarget(rig.channel, controls=Buttons())
    for text in ("one…", "one, two…"):
        await target.show(text)
        assert [buttons(message) for message in rig.messages()] == [["stop"]]
    await target.finish(["one", "two"], None)
    assert [buttons(message) for message in rig.messages()] == [[], ["again"]]


async def test_messages_from_before_are_written_over_and_what_is_left_over_is_deleted(rig: Rig):
    """A new answer takes the place of the old one, however many messages either has."""
    place = await ChannelTarget(rig.channel).finish(["one", "two", "three"], None)
    ids = [place.message_id, *place.more]
    again = ChannelTarget(rig.channel, begun=ids, controls=Buttons())
    assert await again.show("new…") == place
    after = await again.finish(["new", "end"], None)
    assert [(int(message["id"]), message["content"]) for message in rig.messages()] == [
        (ids[0], "new"),
        (ids[1], "end"),
    ]
    assert after.more == (ids[1],)
    longer = await ChannelTarget(rig.channel, begun=[ids[0], ids[1]]).finish(["1", "2", "3"], None)
    assert [message["content"] for message in rig.messages()] == ["1", "2", "3"]
    assert longer.more[0] == ids[1]


async def test_a_message_from_before_that_was_deleted_is_made_anew(rig: Rig):
    """The answer does not get lost with its message; the nonce of the lost one is not used again."""
    place = await ChannelTarget(rig.channel, nonce="7").show("Half")
    rig.discord.delete_message(str(place.message_id))
    target = ChannelTarget(rig.channel, begun=[place.message_id], nonce="7")
    assert (await target.show("Half again")).message_id != place.message_id
    await target.finish(["Whole"], None)
    assert [message["content"] for message in rig.messages()] == ["Whole"]


async def test_a_message_sent_twice_under_one_nonce_stands_once(rig: Rig):
    """Whoever did not hear that a message arrived sends it again, and gets the one that is there."""
    places = [await ChannelTarget(rig.channel, nonce="911").show("Hello") for _ in range(2)]
    assert places[0] == places[1]
    assert len(rig.messages()) == 1


async def test_an_answer_can_be_taken_away(rig: Rig):
    """All of its messages go."""
    target = ChannelTarget(rig.channel)
    await target.finish(["one", "two"], None)
    await target.remove()
    assert rig.messages() == []
    interaction = InteractionTarget(await rig.interaction())
    await interaction.finish(["one", "two"], None)
    await interaction.remove()
    assert rig.messages() == []


async def test_an_interaction_of_an_ended_process_is_answered_by_its_token(rig: Rig):
    """All that is needed was stored: the token and the message's id."""
    interaction = await rig.interaction()
    original = await interaction.original_response()
    webhook = discord.Webhook.partial(interaction.application_id, interaction.token, client=rig.bot)
    target = TokenTarget(
        webhook,
        original.id,
        expires_at=interaction.expires_at.timestamp(),
        locale="en-US",
        channel=rig.channel,
        controls=Buttons(),
    )
    assert (await target.show("Half")).message_id == original.id
    await target.finish(["one", "two"], None)
    assert [(message["content"], buttons(message)) for message in rig.messages()] == [("one", []), ("two", ["again"])]
    await target.finish(["only"], None)
    assert [message["content"] for message in rig.messages()] == ["only"]


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
    now = born_at = 1000.0
    target = InteractionTarget(interaction, clock=lambda: now)
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
    now = born_at = 1000.0
    target = InteractionTarget(interaction, clock=lambda: now)
    now = born_at + TOKEN_LIFE_S - 30
    await target.show("Still here")
    requests = len(rig.discord.diary())
    now = born_at + TOKEN_LIFE_S + 1
    with pytest.raises(PlaceGoneError):
        await target.show("Too late")
    assert len(rig.discord.diary()) == requests
    assert [message["content"] for message in rig.messages()] == ["Still here"]
