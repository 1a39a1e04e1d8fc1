"""The whole thing running: a sandbox, a bot, and a person at the control interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.endtoend.badday import Machine, build
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


@pytest.fixture(scope="session")
def badday_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes bad days, built once."""
    library = build(tmp_path_factory.mktemp("badday"))
    if library is None:
        pytest.skip("bad days are made by a library in C, for which this machine has no compiler")
    return library


@pytest.fixture
def machine(badday_library: Path, tmp_path: Path) -> Machine:
    """The machine of a bot in the sandbox, on which its database can be watched and broken."""
    return Machine(badday_library, tmp_path, "sandbox.db", "sandbox.db-wal")
