"""The bot as a process of its own, started the way people start it, with an environment that a test chooses.

``Process`` is one start of ``bot.py`` in a working folder of the test; ``Control`` acts and looks through the sandbox's
control interface. What always holds: a process that a test started has ended when the test has.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0

#: What would let the machine that runs the tests decide what they see.
_OF_THE_MACHINE = ("DISCORD_", "GEMINI_", "GOOGLE_", "DATABASE_URL", "ADMIN_IDS", "MESSAGE_CONTENT", "LOG_LEVEL")


class Process:
    """One start of the bot."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def line(self, words: str) -> str:
        """Wait for a line on stdout that holds these words."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                line = (await self._process.stdout.readline()).decode()
                if not line:
                    _, errors = await self._process.communicate()
                    pytest.fail(f"the bot ended before it said {words!r}: {errors.decode()}")
                self.lines.append(line.rstrip("\n"))
                if words in line:
                    return line

    async def page(self) -> str:
        """Wait for the page's address."""
        return (await self.line("http://")).split()[-1]

    async def end(self) -> tuple[int, str, str]:
        """Wait for the end: exit code, the rest of stdout, stderr."""
        async with asyncio.timeout(PATIENCE_S):
            out, errors = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, out.decode(), errors.decode()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def dispose(self) -> None:
        """End it if it still runs, as a person would, then by force."""
        if self._process.returncode is None:
            self._process.terminate()
            self._process.terminate()
            try:
                await self.end()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


Launch = Callable[..., Awaitable[Process]]


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """Give what starts the bot: arguments as on the command line, variables by name."""
    started: list[Process] = []

    async def start(*arguments: str, **variables: str) -> Process:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_OF_THE_MACHINE) and not name.lower().endswith("_proxy")
        }
        process = Process(
            await asyncio.create_subprocess_exec(
                sys.executable,
                str(ROOT / "bot.py"),
                *arguments,
                cwd=tmp_path,
                env=kept | variables,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        )
        started.append(process)
        return process

    yield start
    for process in started:
        await process.dispose()


class Control:
    """Acts and looks through the control interface of a sandbox."""

    def __init__(self, page: str, session: aiohttp.ClientSession) -> None:
        self._page = page.rstrip("/")
        self._session = session

    async def get(self, path: str) -> Any:
        """Look."""
        async with self._session.get(f"{self._page}/_sandbox/{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def send(self, method: str, path: str, body: Any) -> Any:
        """Act."""
        url = f"{self._page}/_sandbox/{path}"
        async with self._session.request(method, url, json=body, headers={"X-Sandbox": "1"}) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json() if answer.content_length else None

    async def channel(self, name: str) -> str:
        """Give a channel's id by name."""
        state = await self.get("state")
        return next(str(channel["id"]) for channel in state["channels"] if channel["name"] == name)

    async def said(self, channel_id: str, words: str) -> None:
        """Wait until the bot has said these words in a channel."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(words in str(one["content"]) for one in await self.get(f"channels/{channel_id}/messages")):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)

    async def say(self, channel_id: str, content: str, awaited: str) -> str:
        """Say something and wait until an answer of the bot's that holds the awaited words is whole."""
        body = {"content": content, "user": "Mina"}
        await self.send("POST", f"channels/{channel_id}/messages", body)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for message in await self.get(f"channels/{channel_id}/messages"):
                    content = str(message["content"])
                    # a running answer ends with its cursor; the last edit comes after the answer was stored
                    if message["author"].get("bot") and awaited in content and content.endswith("."):
                        return content
                await asyncio.sleep(0.05)


@pytest.fixture
async def control() -> AsyncIterator[Callable[[str], Control]]:
    """Give what opens the control interface of the sandbox at an address."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield lambda page: Control(page, session)


def only_sentence(errors: str) -> str:
    """Give the one line that is not the log's; fails when there is a traceback or more than one such line."""
    assert "Traceback" not in errors
    lines = [line for line in errors.splitlines() if line and not line[:4].isdigit()]
    assert len(lines) == 1, errors
    assert lines[0].endswith(".")
    return lines[0]
