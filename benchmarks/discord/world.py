"""The other process: both emulators, and a crowd that does what it is told to.

``python -m benchmarks.discord.world`` reads a ``World`` (a line of JSON), prints its addresses, and takes orders:
each is a method of ``Crowd`` by name with its arguments, and is answered with what was seen. The end of the input is
the end of the process. What always holds: rate limits are Discord's (``sandbox.discord.limits``); only loopback is
listened on; every answer says what rules of Discord's were broken, and how often it was said to slow down.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any, Self

from aiohttp import web

from benchmarks.discord.crowd import Crowd
from benchmarks.discord.seen import Watch
from sandbox.clock import SandboxClock
from sandbox.discord import DiscordEmulator
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator, Limits

_HOST = "127.0.0.1"
_KEYS = 16


@dataclass(frozen=True, slots=True)
class World:
    """What is emulated: how many people, the model's seconds to the first byte and between two pieces."""

    people: int
    latency_s: float
    gap_s: float

    def line(self) -> bytes:
        """Give it as the line the process reads."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``line`` gave."""
        return cls(**document)


async def run(world: World) -> None:
    """Serve until the input ends."""
    watch = Watch()
    keys = [f"k{number}@p{number}:AQ.{number:050x}" for number in range(_KEYS)]
    gemini = GeminiEmulator(
        SandboxClock(),
        EventBus(),
        keys=keys,
        latency_s=world.latency_s,
        gap_s=world.gap_s,
        limits=Limits(None, None, None),
    )
    discord = DiscordEmulator(SandboxClock(), watch)
    crowd = Crowd(discord, watch, world.people)
    async with AsyncExitStack() as stack:
        answering = gemini.app()
        answering.on_response_prepare.append(watch.first_byte)
        gemini_url = await listen(stack, answering)
        discord_url = await listen(stack, discord.app())
        discord.listening(discord_url)
        _say({"gemini": gemini_url, "discord": discord_url, "token": discord.bot_token, "keys": ",".join(keys)})
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            _say(await getattr(crowd, order.pop("do"))(**order))


async def listen(stack: AsyncExitStack, app: web.Application) -> str:
    """Serve on any free port; gives the address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, _HOST, 0, backlog=1024)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


def _say(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(World.read(json.loads(sys.stdin.readline()))))
