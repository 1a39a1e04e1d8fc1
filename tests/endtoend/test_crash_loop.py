"""A bot that crashes as soon as it has started never asks Discord for a thousand sessions a day.

The processes are those that run with a token of their own (``redirected``): they count what they ask for in the
database, so that a kill forgets nothing. Discord's limit: https://docs.discord.com/developers/events/gateway.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from cogs.identifies import GAP_S, Identifies
from tests.endtoend.processes import BotProcess, Control, SandboxProcess, eventually
from utils.security.masterkeys import MasterKeys
from utils.storage import open_storage

#: So many sessions may be begun one right after another.
AT_ONCE = 10
WAITS = "the bot was started too often"
CRASHING_S = 300.0

Begin = Callable[[], Awaitable[BotProcess]]


@pytest.fixture
async def control(sandbox: SandboxProcess) -> AsyncIterator[Control]:
    """The control interface; a crash loop may well be told off for its pace."""
    async with aiohttp.ClientSession() as session:
        yield Control(sandbox.url, session)


@pytest.fixture
async def begin(sandbox: SandboxProcess, tmp_path: Path) -> AsyncIterator[Begin]:
    """Start a bot that takes the emulated Discord for the real one."""
    started: list[BotProcess] = []
    addresses = sandbox.addresses
    discord = [str(addresses[name]) for name in ("discord_api", "discord_gateway", "discord_cdn")]

    async def start() -> BotProcess:
        bot = await BotProcess.start_module(
            tmp_path,
            "tests.endtoend.redirected",
            *discord,
            "--sandbox=gemini",
            f"--sandbox-url={sandbox.url}",
            DISCORD_TOKEN=str(addresses["discord_token"]),
        )
        started.append(bot)
        return bot

    yield start
    for bot in started:
        if bot.process.returncode is None:
            await bot.stop(signal.SIGKILL)


async def identified(control: Control) -> int:
    """Count the sessions that Discord was asked for."""
    return int((await control.get("state"))["bot"]["identified"])


async def connected_or_waiting(control: Control, bot: BotProcess, before: int) -> None:
    """Wait until the bot has asked for a session, or has said that it must not yet."""

    async def decided() -> bool:
        assert bot.process.returncode is None, bot.text
        return WAITS in bot.text or await identified(control) > before

    await eventually(decided)


@pytest.mark.timeout(180)  # three starts of the bot
async def test_what_a_killed_bot_spent_stays_spent(control: Control, begin: Begin, tmp_path: Path) -> None:
    """Ten sessions at once, of which killed processes had their part; the next process waits, and can be stopped."""
    first = await begin()
    await connected_or_waiting(control, first, 0)
    await first.stop(signal.SIGKILL)
    folder = tmp_path / "data"
    keys = MasterKeys(tmp_path / ".keys" / "sandbox.key")
    async with open_storage(f"sqlite:///{folder / 'sandbox.db'}", keys=keys) as storage:
        identifies = Identifies(storage.limits)
        for _ in range(AT_ONCE - 2):
            await identifies.spend()
    second = await begin()
    await connected_or_waiting(control, second, 1)
    await second.stop(signal.SIGKILL)
    assert await identified(control) == 2
    third = await begin()
    await connected_or_waiting(control, third, 2)
    assert WAITS in third.text
    await asyncio.sleep(2.0)
    assert await identified(control) == 2
    assert await third.stop() == 0, third.text


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_minutes_of_crashes_ask_for_few_sessions(control: Control, begin: Begin) -> None:
    """Killed as soon as it is connected, or half a minute later while it waits, for five minutes."""
    until = time.monotonic() + CRASHING_S
    starts = 0
    while time.monotonic() < until:
        before = await identified(control)
        bot = await begin()
        starts += 1
        await connected_or_waiting(control, bot, before)
        if WAITS in bot.text:
            await asyncio.sleep(2.0)
        await bot.stop(signal.SIGKILL)
    asked = await identified(control)
    # for the table of a long run
    sys.stdout.write(json.dumps({"seconds": CRASHING_S, "starts": starts, "sessions": asked}) + "\n")
    assert AT_ONCE <= asked <= AT_ONCE + CRASHING_S / GAP_S + 1
