"""The whole thing running: a sandbox, a bot, and a person at the control interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.endtoend.processes import BotProcess, Control, SandboxProcess

StartBot = Callable[..., Awaitable[BotProcess]]


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxProcess]:
    """A sandbox of its own for every test."""
    process = await SandboxProcess.start()
    yield process
    assert await process.stop() == 0, process.text


@pytest.fixture
async def control(sandbox: SandboxProcess) -> AsyncIterator[Control]:
    """The control interface; at the end no rule of the platform was broken."""
    async with aiohttp.ClientSession() as session:
        hands = Control(sandbox.url, session)
        yield hands
        assert await hands.violations() == []


@pytest.fixture
async def start_bot(sandbox: SandboxProcess, control: Control, tmp_path: Path) -> AsyncIterator[StartBot]:
    """Start the bot in the sandbox; stopped in order at the end of the test."""
    started: list[BotProcess] = []

    async def start(*arguments: str, **environment: str) -> BotProcess:
        bot = await BotProcess.start(tmp_path, "--sandbox", "--sandbox-url", sandbox.url, *arguments, **environment)
        started.append(bot)
        await bot.online(control)
        return bot

    yield start
    for bot in started:
        if bot.process.returncode is None:
            assert await bot.stop() == 0, bot.text
