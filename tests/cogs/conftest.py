"""The whole bot between two emulators: the unmodified discord.py and google-genai over HTTP and WebSocket.

``House`` is a Discord and a Gemini on loopback, a database in a temporary folder, and the bot, which can be stopped
and started again. The fixture ``house`` starts it; when a test ends, the bot must have broken no rule of Discord's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from cogs import GeminiBot, make_bot
from sandbox.clock import SandboxClock
from sandbox.discord import DiscordEmulator
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator
from sandbox.redirect import redirect_discord
from tests.sandbox.openapi import schema_check
from utils.conversations import Conversations
from utils.gemini_pool import GeminiAPIPool
from utils.i18n import load_catalogues
from utils.storage import Storage, open_storage

T = TypeVar("T")

MODEL = "gemini-4-hydrogen"
PATIENCE_S = 10.0
THREAD_STARTER = 21


async def serve(app: web.Application, stack: AsyncExitStack) -> str:
    """Serve an application on any free port of loopback; gives its address."""
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


async def until(look: Callable[[], T]) -> T:
    """Wait until ``look`` gives something true, and give that."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := look()):  # noqa: ASYNC110 - what is looked at is on the other side of a connection
            await asyncio.sleep(0.01)
    return found


class House:
    """Everything a person would see, and the means to act in it."""

    bot: GeminiBot
    storage: Storage
    pool: GeminiAPIPool
    conversations: Conversations

    def __init__(self, folder: Path, keys: Sequence[str] | None = None) -> None:
        clock, bus = SandboxClock(), EventBus()
        self.gemini = GeminiEmulator(clock, bus, keys=keys, latency_s=0, gap_s=0)
        self.discord = DiscordEmulator(clock, bus, schema=schema_check())
        self._database = f"sqlite:///{folder / 'bot.db'}"
        self._world = AsyncExitStack()
        self._life = AsyncExitStack()
        self._gemini_url = self._discord_url = ""

    async def open(self) -> None:
        """Open both emulators and point discord.py at its own."""
        self._gemini_url = await serve(self.gemini.app(), self._world)
        self._discord_url = await serve(self.discord.app(), self._world)
        self.discord.listening(self._discord_url)
        url = self._discord_url
        restore = redirect_discord(f"{url}/api/v10", f"{url.replace('http', 'ws', 1)}/gateway", url)
        self._world.callback(restore)

    async def start(self, *, reads_content: bool = True, admin_ids: Sequence[int] = ()) -> None:
        """Start the bot and wait until it sees its server."""
        self.storage = await self._life.enter_async_context(open_storage(self._database))
        self.pool = await self._life.enter_async_context(
            GeminiAPIPool(self.gemini.key_specs(), base_url=self._gemini_url, store=self.storage.statistics)
        )
        self.conversations = Conversations(self.storage.conversations, self.pool, default_model=MODEL)
        self.bot = make_bot(
            self.pool,
            self.conversations,
            self.storage.meta,
            admin_ids=admin_ids,
            default_model=MODEL,
            reads_content=reads_content,
            cdn_hosts={urlsplit(self._discord_url).netloc},
        )
        connection = asyncio.create_task(self.bot.start(self.discord.bot_token))
        self._life.push_async_callback(self._leave, connection)
        guild_id = int(self.discord.guild_id)
        await until(lambda: connection.done() or self.bot.get_guild(guild_id))
        if connection.done():
            connection.result()
        await until(self.pool.known_models)

    async def _leave(self, connection: asyncio.Task[None]) -> None:
        await self.bot.running.drain(PATIENCE_S)
        await self.bot.close()
        await asyncio.wait([connection])

    async def stop(self) -> None:
        """Stop the bot; the emulators go on."""
        await self._life.aclose()
        self._life = AsyncExitStack()

    async def close(self) -> None:
        """Stop everything."""
        await self.stop()
        await self._world.aclose()

    def channel(self, name: str) -> str:
        """Give the id of a channel, or of a user's direct messages, by name."""
        return next(str(channel["id"]) for channel in self.discord.state()["channels"] if channel["name"] == name)

    def user_id(self, name: str) -> int:
        """Give a user's id by name."""
        return next(int(user["id"]) for user in self.discord.state()["users"] if user["name"] == name)

    @property
    def mention(self) -> str:
        """The bot's mention."""
        return f"<@{self.discord.state()['bot']['id']}>"

    def said(self, channel_id: str) -> list[dict[str, Any]]:
        """Give what the bot said in a channel, without the system messages that bear its name."""
        me = self.discord.state()["bot"]["id"]
        messages = self.discord.messages(channel_id)
        return [m for m in messages if m["author"]["id"] == me and m["type"] != THREAD_STARTER]

    async def invoke(self, name: str, *, channel: str = "general", user: str = "Mina", **more: Any) -> str:
        """Use a command, and give the interaction's id once the bot has answered in full."""
        interaction = self.discord.invoke(self.channel(channel), name=name, user=user, **more)
        await until(lambda: self._answered(interaction))
        return interaction

    def _answered(self, interaction: str) -> bool:
        found = self.discord._parts.interactions.find(interaction)
        return found is not None and bool(found.responses) and not self.bot.running.count

    async def answer(self, name: str, **more: Any) -> dict[str, Any]:
        """Use a command, and give its answer."""
        interaction = await self.invoke(name, **more)
        responses = (await self.discord.interaction(interaction))["responses"]
        return dict(responses[0])

    async def reply(self, channel_id: str, content: str, *, user: str = "Mina", **more: Any) -> dict[str, Any]:
        """Say something, and give the bot's first message after it, once the bot is done."""
        before = len(self.said(channel_id))
        self.discord.say(channel_id, content=content, user=user, **more)
        await until(lambda: len(self.said(channel_id)) > before and not self.bot.running.count)
        return self.said(channel_id)[before]

    def generated(self) -> list[dict[str, Any]]:
        """Give the diary's requests that asked the model for text."""
        return [entry for entry in self.gemini.diary() if "enerateContent" in entry["path"]]


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    """Read the catalogues before any loop runs, as a start of the bot does."""
    load_catalogues()


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[House]:
    """Give a house whose bot has not been started."""
    house = House(tmp_path)
    await house.open()
    try:
        yield house
        await house.stop()
        assert house.discord.violations() == []
    finally:
        await house.close()


@pytest.fixture
async def house(made: House) -> House:
    """Give a house with its bot running."""
    await made.start()
    return made
