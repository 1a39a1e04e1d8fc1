"""A running Gemini emulator and the real SDK pointed at it, for every test of this folder."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from google import genai
from google.genai import types

from sandbox.clock import SandboxClock
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator, Limits

MODEL = "gemini-4-hydrogen"
_TLS = ssl.create_default_context()


def make_specs() -> list[str]:
    """Four keys in two projects, drawn anew for every run."""
    rng = random.SystemRandom()
    names = (("a1", "alpha"), ("a2", "alpha"), ("b1", "beta"), ("b2", "beta"))
    return [f"{label}@{project}:{'AQ' + '.'}{rng.getrandbits(200):050x}" for label, project in names]


@dataclass(slots=True)
class Running:
    """An emulator that listens, and how to reach it."""

    emulator: GeminiEmulator
    clock: SandboxClock
    bus: EventBus
    address: str
    runner: web.AppRunner
    session: aiohttp.ClientSession
    secrets: dict[str, str] = field(default_factory=dict)

    def client(self, label: str = "a1", *, version: str = "v1", **http: Any) -> genai.Client:
        """The real SDK with one of the keys (or with any text as a key)."""
        # The SDK makes three TLS contexts per client otherwise, 40 ms each.
        options = types.HttpOptions(
            base_url=self.address,
            api_version=version,
            aiohttp_client=self.session,
            retry_options=types.HttpRetryOptions(attempts=1),
            client_args={"verify": _TLS},
            async_client_args={"verify": _TLS, "ssl": _TLS},
            **http,
        )
        return genai.Client(api_key=self.secrets.get(label, label), http_options=options, enterprise=False)

    async def ask(self, prompt: Any, label: str = "a1", model: str = MODEL, **config: Any) -> Any:
        """One generate_content with the real SDK."""
        given = types.GenerateContentConfig(**config) if config else None
        return await self.client(label).aio.models.generate_content(model=model, contents=prompt, config=given)

    async def stream(self, prompt: Any, label: str = "a1", model: str = MODEL, **config: Any) -> list[Any]:
        """Every chunk of one generate_content_stream with the real SDK."""
        given = types.GenerateContentConfig(**config) if config else None
        models = self.client(label).aio.models
        return [
            chunk async for chunk in await models.generate_content_stream(model=model, contents=prompt, config=given)
        ]

    def key(self, label: str = "a1") -> dict[str, Any]:
        """The state of one key."""
        return next(one for one in self.emulator.state() if one["label"] == label)

    def last(self) -> dict[str, Any]:
        """The newest entry of the diary."""
        return self.emulator.diary()[-1]


Start = Callable[..., Any]


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that another task brings about; five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for lies in the emulator, which has no event to offer
            await asyncio.sleep(0.002)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start emulators with parameters of one's own; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def run(**parameters: Any) -> Running:
            clock, bus = SandboxClock(), EventBus()
            given = {"latency_s": 0.0, "gap_s": 0.0, "processing_s": 0.0, "limits": Limits(None, None, None)}
            specs = make_specs()
            emulator = GeminiEmulator(clock, bus, keys=specs, **{**given, **parameters})
            runner = web.AppRunner(emulator.app())
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            session = await stack.enter_async_context(aiohttp.ClientSession())
            address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            secrets = {spec.split("@")[0]: spec.split(":")[1] for spec in specs}
            return Running(emulator, clock, bus, address, runner, session, secrets)

        yield run


@pytest.fixture
async def running(start: Start) -> Running:
    """An emulator without latency and without quota, with four keys in two projects."""
    running: Running = await start()
    return running
