"""The sandbox, composed: a clock, the emulators, and three ports on loopback.

``running`` is the one way to have one in a process, for ``python -m sandbox`` and for tests alike: it opens the ports,
answers a ``RunningSandbox``, and closes everything in reverse. What always holds: every port is bound to 127.0.0.1
only; each run has a random id of its own. Failing to bind raises ``PortTakenError`` with one sentence.

Errors::

    ServerError         one sentence for a person
    └── PortTakenError  something else listens on the wanted port
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.control import Controlled, control_app, read_page
from sandbox.control_events import Presence
from sandbox.discord import DiscordEmulator, SchemaCheck
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator

HOST = "127.0.0.1"
DEFAULT_PORT = 8765
PARTS = ("all", "gemini", "discord")
_IDLE_CHECK_S = 1.0
_SHUTDOWN_S = 2.0


class ServerError(Exception):
    """The sandbox cannot run; the text is one sentence."""


class PortTakenError(ServerError):
    """Something else listens on the wanted port."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to run: ``port`` is the page's (0: any free one), ``speed`` that of time, ``parts`` one of ``PARTS``.

    ``leave_when_idle_s``: end by itself after nobody used it for that many seconds (None: never).
    ``openapi``: Discord's published description, to judge every request and answer by.
    """

    port: int = DEFAULT_PORT
    parts: str = "all"
    seed: int = 0
    speed: float = 1.0
    leave_when_idle_s: float | None = None
    openapi: Path | None = None


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that answers; the emulators it does without are None."""

    run_id: str
    parts: str
    page_url: str
    clock: SandboxClock
    bus: EventBus
    presence: Presence
    gemini: GeminiEmulator | None
    discord: DiscordEmulator | None
    gemini_url: str | None
    discord_url: str | None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def addresses(self) -> Mapping[str, Any]:
        """Where everything is, as ``GET /_sandbox/addresses`` answers it; parts that do not run are null."""
        discord = self.discord_url
        return {
            "run_id": self.run_id,
            "parts": self.parts,
            "page": self.page_url,
            "gemini_base_url": self.gemini_url,
            "gemini_keys": self.gemini.key_specs() if self.gemini else [],
            "discord_api": f"{discord}/api/v10" if discord else None,
            "discord_gateway": f"{discord.replace('http', 'ws', 1)}/gateway" if discord else None,
            "discord_cdn": discord,
            "discord_token": self.discord.bot_token if self.discord else None,
        }


@asynccontextmanager
async def running(options: ServerOptions) -> AsyncIterator[RunningSandbox]:
    """Run a sandbox for as long as the block lasts; raises ServerError."""
    clock, bus = SandboxClock(options.speed), EventBus()
    async with AsyncExitStack() as stack:
        # the page's port first: it is the one that can be taken
        page_socket = _bind(options.port)
        stack.callback(page_socket.close)
        gemini = GeminiEmulator(clock, bus, seed=options.seed) if options.parts != "discord" else None
        schema = await asyncio.to_thread(_schema, options.openapi) if options.openapi else None
        discord = DiscordEmulator(clock, bus, seed=options.seed, schema=schema) if options.parts != "gemini" else None
        gemini_url = await _serve(stack, gemini.app(), _bind(0)) if gemini else None
        discord_url = None
        if discord is not None:
            discord_socket = _bind(0)
            discord_url = _url(discord_socket)
            discord.listening(discord_url)
            await _serve(stack, discord.app(), discord_socket)
        sandbox = RunningSandbox(
            run_id=secrets.token_hex(8),
            parts=options.parts,
            page_url=f"{_url(page_socket)}/",
            clock=clock,
            bus=bus,
            presence=Presence(time.monotonic, lambda: discord is not None and _bot_online(discord)),
            gemini=gemini,
            discord=discord,
            gemini_url=gemini_url,
            discord_url=discord_url,
        )
        app = control_app(
            Controlled(
                run_id=sandbox.run_id,
                clock=clock,
                bus=bus,
                presence=sandbox.presence,
                gemini=gemini,
                discord=discord,
                addresses=sandbox.addresses,
                stop=sandbox.stopped.set,
                cdn_origin=discord_url,
                page=await asyncio.to_thread(read_page),
            )
        )
        await _serve(stack, app, page_socket)
        yield sandbox


async def until_stopped(sandbox: RunningSandbox, options: ServerOptions) -> None:
    """Wait until somebody stops the sandbox, or nobody has used it for as long as the options say."""
    while not sandbox.stopped.is_set():
        limit = options.leave_when_idle_s
        if limit is not None and sandbox.presence.idle_s() >= limit:
            return
        try:
            await asyncio.wait_for(sandbox.stopped.wait(), None if limit is None else min(_IDLE_CHECK_S, limit))
        except TimeoutError:
            continue


def _schema(path: Path) -> SchemaCheck:
    try:
        return SchemaCheck(path)
    except (OSError, ValueError, ImportError) as error:
        raise ServerError(f"Discord's description {path} cannot be used ({error}); leave out --openapi.") from error


def _bot_online(discord: DiscordEmulator) -> bool:
    return bool(discord.state().get("bot", {}).get("online"))


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # bound is not taken until it listens: two sandboxes that start at once must not both get the port
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(f"Port {port} is taken; stop what uses it or choose another with --port.") from error
        raise ServerError(f"Port {port} cannot be used ({error.strerror}); choose another with --port.") from error
    listener.setblocking(False)
    return listener


def _url(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"


async def _serve(stack: AsyncExitStack, app: web.Application, listener: socket.socket) -> str:
    url = _url(listener)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S, handler_cancellation=True)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()
    return url
