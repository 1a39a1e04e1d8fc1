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
from cogs.custody import make_custody
from cogs.identifies import Identifies
from cogs.insight import Quotas, Watch, look_into
from cogs.keychain import KeyChain, load_added
from sandbox.clock import SandboxClock
from sandbox.discord import DiscordEmulator, DiscordLimits
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator
from sandbox.redirect import redirect_discord
from tests.sandbox.openapi import schema_check
from utils.conversations import ContextLimits, Conversations
from utils.conversations.fairness import FairUse, OwnerLimits
from utils.conversations.preferences import Preferences
from utils.gemini_pool import Configuration, GeminiAPIPool, Keyring, read
from utils.i18n import load_catalogues
from utils.rendering.parts import DiscordMarkdown
from utils.security import Redactor
from utils.security.masterkeys import MasterKeys
from utils.storage import Storage, open_storage

T = TypeVar("T")

MODEL = "gemini-4-hydrogen"
PATIENCE_S = 30.0
THREAD_STARTER = 21
_ERRANDS = ("Write a title", "Summarise the conversation")


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
    preferences: Preferences
    fair: FairUse

    def __init__(
        self,
        folder: Path,
        keys: Sequence[str] | None = None,
        *,
        spare_keys: int = 0,
        discord_limits: DiscordLimits | None = None,
    ) -> None:
        clock, bus = SandboxClock(), EventBus()
        self.gemini = GeminiEmulator(clock, bus, keys=keys, latency_s=0, gap_s=0)
        self.discord = DiscordEmulator(clock, bus, limits=discord_limits, schema=schema_check())
        self._database = f"sqlite:///{folder / 'bot.db'}"
        self._master_keys = MasterKeys(folder / "keys" / "master.key")
        self._world = AsyncExitStack()
        self._life = AsyncExitStack()
        self._gemini_url = self._discord_url = ""
        #: Whether the bot is told of keys without their names and projects.
        self.bare_keys = False
        #: Keys that the service knows and the bot is not told of.
        self.spare_keys = self.gemini.key_specs()[len(self.gemini.key_specs()) - spare_keys :]

    async def open(self) -> None:
        """Open both emulators and point discord.py at its own."""
        self._gemini_url = await serve(self.gemini.app(), self._world)
        self._discord_url = await serve(self.discord.app(), self._world)
        self.discord.listening(self._discord_url)
        url = self._discord_url
        restore = redirect_discord(f"{url}/api/v10", f"{url.replace('http', 'ws', 1)}/gateway", url)
        self._world.callback(restore)

    async def start(
        self,
        *,
        reads_content: bool = True,
        admin_ids: Sequence[int] = (),
        limits: ContextLimits | None = None,
        in_server: bool = True,
        watch: Watch | None = None,
        quotas: Quotas | None = None,
        owner: OwnerLimits | None = None,
        identifies: Callable[[Storage], Identifies] | None = None,
    ) -> None:
        """Start the bot and wait until it sees its server, unless it is in none."""
        self.storage = await self._life.enter_async_context(open_storage(self._database, keys=self._master_keys))
        keyring = Keyring(lambda: self._configuration)
        redactor = Redactor()
        damaged = await load_added(self.storage.vault, keyring, redactor)
        self.pool = await self._life.enter_async_context(
            GeminiAPIPool.from_configuration(keyring, store=self.storage.statistics)
        )
        chain = KeyChain(self.storage.vault, keyring, self.pool, redactor, damaged=damaged)
        self.preferences = Preferences(self.storage.settings, self.storage.personas)
        self.fair = FairUse(self.storage.limits, owner)
        self._life.push_async_callback(self.fair.aclose)
        self.conversations = Conversations(
            self.storage.conversations,
            self.pool,
            default_model=MODEL,
            guide=self.preferences,
            limits=limits,
            presentation=DiscordMarkdown(),
            fair=self.fair,
        )
        self.bot = make_bot(
            self.pool,
            self.conversations,
            self.storage.meta,
            preferences=self.preferences,
            personas=self.storage.personas,
            custody=make_custody(self.storage, chain, retention_days=30),
            insight=look_into(self.storage, watch=watch or self.pool, quotas=quotas or self.pool),
            fair=self.fair,
            admin_ids=admin_ids,
            default_model=MODEL,
            reads_content=reads_content,
            cdn_hosts={urlsplit(self._discord_url).netloc},
            ready_after_s=0.1,
            identifies=identifies(self.storage) if identifies is not None else None,
        )
        connection = asyncio.create_task(self.bot.start(self.discord.bot_token))
        self._life.push_async_callback(self._leave, connection)
        guild_id = int(self.discord.guild_id)
        await until(lambda: connection.done() or self.bot.get_guild(guild_id) or not in_server)
        if connection.done():
            connection.result()
        await until(self.pool.known_models)

    @property
    def _configuration(self) -> Configuration:
        listed = [spec for spec in self.gemini.key_specs() if spec not in self.spare_keys]
        if self.bare_keys:
            listed = [spec.rpartition(":")[2] for spec in listed]
        return read({"GEMINI_API_KEYS": ",".join(listed), "GOOGLE_GEMINI_BASE_URL": self._gemini_url})

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
        """Give the diary's requests that asked the model for text; titles and summaries apart (see ``errands``)."""
        return [
            e for e in self.gemini.diary() if "enerateContent" in e["path"] and not e["system"].startswith(_ERRANDS)
        ]

    def errands(self, begin: str) -> list[dict[str, Any]]:
        """Give the diary's requests whose instruction begins so, such as "Write a title"."""
        return [entry for entry in self.gemini.diary() if entry["system"].startswith(begin)]


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
