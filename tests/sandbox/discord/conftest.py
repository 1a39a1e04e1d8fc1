"""A served Discord emulator, and clients for it: the unmodified discord.py, and a raw one that may misbehave.

Every test that uses ``server`` ends with the assertion that the list of violations holds exactly the kinds it
expected, none unless it says so. Where Discord's published description lies beside the project, all requests and
answers are judged by it as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import discord
import pytest
from aiohttp import web
from discord import app_commands

from sandbox.clock import SandboxClock
from sandbox.discord import DiscordEmulator, DiscordLimits
from sandbox.events import EventBus
from sandbox.redirect import redirect_discord
from tests.sandbox.openapi import schema_check

Json = dict[str, Any]
WAIT_S = 10.0
GUILDS_AND_MESSAGES = 1 << 0 | 1 << 9 | 1 << 12 | 1 << 15


async def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until a condition holds; fails after ten seconds."""
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.002)
    assert condition(), what


class Server:
    """The emulator on a loopback port.

    ``expected`` are the kinds of violation that the test provokes; ``ahead_s`` puts the emulator's clock for tokens
    and buckets forward.
    """

    def __init__(self, **limits: Any) -> None:
        self.bus = EventBus()
        self.ahead_s = 0.0
        self.emulator = DiscordEmulator(
            SandboxClock(),
            self.bus,
            limits=DiscordLimits(**{"bucket_scale": 0, **limits}),
            schema=schema_check(),
            monotonic=lambda: time.monotonic() + self.ahead_s,
        )
        self.base = ""
        self.expected: list[str] = []

    async def serve(self) -> web.AppRunner:
        """Open the port; the runner returned closes it."""
        runner = web.AppRunner(self.emulator.app(), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.emulator.listening(self.base)
        return runner

    @property
    def kinds(self) -> list[str]:
        return [violation["kind"] for violation in self.emulator.violations()]

    def channel(self, name: str) -> str:
        return next(str(c["id"]) for c in self.emulator.state()["channels"] if c.get("name") == name)

    def user(self, name: str) -> str:
        return next(str(u["id"]) for u in self.emulator.state()["users"] if u["name"] == name)

    def texts(self, channel_id: str) -> list[str]:
        return [message["content"] for message in self.emulator.messages(channel_id)]


ServerMaker = Callable[..., Awaitable[Server]]


@pytest.fixture
async def make_server() -> AsyncIterator[ServerMaker]:
    """Serve emulators with limits of the test's own choice; buckets are off unless asked for."""
    async with AsyncExitStack() as stack:
        servers: list[Server] = []

        async def make(**limits: Any) -> Server:
            server = Server(**limits)
            stack.push_async_callback((await server.serve()).cleanup)
            gateway = f"{server.base}/gateway".replace("http", "ws", 1)
            stack.callback(redirect_discord(f"{server.base}/api/v10", gateway, server.base))
            servers.append(server)
            return server

        yield make
    for server in servers:
        assert server.kinds == server.expected, server.emulator.violations()


@pytest.fixture
async def server(make_server: ServerMaker) -> Server:
    """The emulator with Discord's own limits."""
    return await make_server()


class Bot(discord.Client):
    """A small bot: ``setup`` registers what a test needs; errors and messages are kept."""

    def __init__(self, intents: discord.Intents, setup: Callable[[Bot], Any] | None, **options: Any) -> None:
        super().__init__(
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.01,
            **options,
        )
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.ready = asyncio.Event()
        self.resumed = asyncio.Event()
        self.running: asyncio.Task[None] | None = None
        self._setup = setup

    async def setup_hook(self) -> None:
        if self._setup is not None:
            self._setup(self)
        if self.tree.get_commands() or self.tree.get_commands(type=discord.AppCommandType.message):
            await self.tree.sync()

    async def on_ready(self) -> None:
        self.ready.set()

    async def on_resumed(self) -> None:
        self.resumed.set()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)

    def text_channel(self, channel_id: str) -> discord.TextChannel:
        channel = self.get_channel(int(channel_id))
        assert isinstance(channel, discord.TextChannel)
        return channel


BotMaker = Callable[..., Awaitable[Bot]]


@pytest.fixture
async def start_bot() -> AsyncIterator[BotMaker]:
    """Start bots on a server and wait until they are ready; they are closed after the test."""
    bots: list[Bot] = []

    async def start(
        server: Server, setup: Callable[[Bot], Any] | None = None, *, content: bool = True, **options: Any
    ) -> Bot:
        intents = discord.Intents.default()
        intents.message_content = content
        bot = Bot(intents, setup, **options)
        bots.append(bot)
        bot.running = asyncio.create_task(bot.start(server.emulator.bot_token))
        ready = asyncio.create_task(bot.ready.wait())
        await asyncio.wait({bot.running, ready}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        if bot.running.done():
            ready.cancel()
            bot.running.result()
        assert bot.ready.is_set()
        return bot

    yield start
    for bot in bots:
        await bot.close()
        if bot.running is not None:
            await asyncio.wait({bot.running}, timeout=WAIT_S)


class RawGateway:
    """A bare WebSocket on the gateway."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: list[Json] = []

    async def send(self, op: int, data: Any) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def identify(self, token: str, intents: int = GUILDS_AND_MESSAGES) -> None:
        await self.send(2, {"token": token, "intents": intents, "properties": {}})

    async def until(self, match: Callable[[Json], bool]) -> Json:
        """Read frames until one matches."""
        async with asyncio.timeout(WAIT_S):
            while True:
                frame: Json = await self.socket.receive_json()
                self.seen.append(frame)
                if match(frame):
                    return frame

    async def event(self, name: str) -> Json:
        frame = await self.until(lambda f: f["t"] == name)
        data: Json = frame["d"]
        return data

    async def closed(self) -> int | None:
        """Read until the server closes; returns its code."""
        async with asyncio.timeout(WAIT_S):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code


class Raw:
    """A client without manners: REST and gateway by hand."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.gateways: list[RawGateway] = []

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, data: Any = None
    ) -> tuple[int, Any]:
        """Send a request as the bot (or with another token); returns status and JSON."""
        headers = {"Authorization": f"Bot {self.server.emulator.bot_token if token is None else token}"}
        url = f"{self.server.base}/api/v10{path}"
        options: Json = {"data": data} if data is not None else {"json": body} if body is not None else {}
        async with self.session.request(method, url, headers=headers, **options) as response:
            if response.content_type != "application/json":
                return response.status, await response.text()
            return response.status, await response.json()

    async def gateway(self, query: str = "") -> RawGateway:
        """Open the gateway; HELLO is read."""
        gateway = RawGateway(await self.session.ws_connect(f"{self.server.base}/gateway{query}"))
        self.gateways.append(gateway)
        return gateway

    async def ready_gateway(self) -> RawGateway:
        """Open the gateway and identify."""
        gateway = await self.gateway()
        await gateway.identify(self.server.emulator.bot_token)
        await gateway.event("GUILD_CREATE")
        return gateway

    async def register(self, *commands: Json) -> None:
        """Register commands."""
        app = self.server.emulator.state()["bot"]["id"]
        status, body = await self.call("PUT", f"/applications/{app}/commands", list(commands))
        assert status == 200, body

    async def respond(self, interaction: Json, kind: int, data: Json | None = None) -> tuple[int, Any]:
        """Answer an interaction for the first time."""
        body: Json = {"type": kind} | ({"data": data} if data is not None else {})
        path = f"/interactions/{interaction['id']}/{interaction['token']}/callback?with_response=true"
        return await self.call("POST", path, body)

    def hook(self, interaction: Json, rest: str = "") -> str:
        return f"/webhooks/{interaction['application_id']}/{interaction['token']}{rest}"


@pytest.fixture
async def open_raw() -> AsyncIterator[Callable[[Server], Raw]]:
    """Open raw clients; their connections end after the test."""
    async with aiohttp.ClientSession() as session:
        yield lambda server: Raw(server, session)


@pytest.fixture
def raw(server: Server, open_raw: Callable[[Server], Raw]) -> Raw:
    """A raw client of the default server."""
    return open_raw(server)
