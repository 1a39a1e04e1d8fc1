"""The emulated Gemini as a process with the keys, limits and latency that a scenario wants.

``python -m sandbox`` has keys and a latency of its own, so this hosts the same emulator with others; the control
interface is the sandbox's, unchanged. ``python -m benchmarks.service.emulator`` reads a ``Service`` as JSON from
standard input, prints its two addresses as JSON, and runs until the input ends. What always holds: only loopback is
listened on.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any, Self

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.control import Controlled, control_app
from sandbox.control_events import Presence
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator, Limits

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Service:
    """What is emulated: keys as ``label@project:secret``, every project's requests a minute, seconds to an answer."""

    keys: tuple[str, ...]
    rpm: int | None
    latency_s: float
    speed: float
    seed: int = 0

    def line(self) -> bytes:
        """Give it as the line the process reads."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read what ``line`` gave."""
        return cls(**{**document, "keys": tuple(document["keys"])})


async def _run(service: Service) -> None:
    clock, bus = SandboxClock(service.speed), EventBus()
    gemini = GeminiEmulator(
        clock,
        bus,
        seed=service.seed,
        keys=service.keys,
        latency_s=service.latency_s,
        limits=Limits(service.rpm, None, None),
    )
    stopped = asyncio.Event()
    control = control_app(
        Controlled(
            run_id="benchmark",
            clock=clock,
            bus=bus,
            presence=Presence(time.monotonic),
            gemini=gemini,
            discord=None,
            addresses=dict,
            stop=stopped.set,
            cdn_origin=None,
            page={},
        )
    )
    async with AsyncExitStack() as stack:
        urls = [await _listen(stack, app) for app in (gemini.app(), control)]
        print(json.dumps({"gemini": urls[0], "control": urls[1]}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)


async def _listen(stack: AsyncExitStack, app: web.Application) -> str:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, _HOST, 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


if __name__ == "__main__":
    asyncio.run(_run(Service.read(json.loads(sys.stdin.readline()))))
