"""The runner's hands on its child processes: the emulator and the clients.

``LineProcess`` speaks JSON lines with one child; ``EmulatorProcess`` and ``ClientProcess`` are what the runner uses.
What always holds: a child ends with its block, by the end of its input or, if it does not listen, by a kill; the
environment it gets names no key and no proxy. A child that fails raises ``ChildError`` with its last words.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from benchmarks.service.emulator import Service
from benchmarks.service.protocol import Burn, Load, Setup, User, order_document

ROOT = Path(__file__).resolve().parent.parent.parent
_FOREIGN = ("GEMINI", "GOOGLE", "DISCORD", "LITELLM", "OPENAI")
_LINE_LIMIT = 64 * 1024 * 1024
_STOP_S = 5.0
_LAST_WORDS = 2_000


class ChildError(Exception):
    """A child process ended before it answered; the text holds its last words."""


class LineProcess:
    """One child that answers a line of JSON with a line of JSON; use it as an asynchronous context manager.

    ``settings`` are put into its environment.
    """

    def __init__(self, command: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._settings = settings or {}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=ROOT,
            env={**_environment(), **self._settings},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_LIMIT,
        )
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        if self._process.stdin is not None:
            # the end of the input is the end of the child
            self._process.stdin.close()
        try:
            # what it still says must be read, or it could not end
            await asyncio.wait_for(self._process.communicate(), _STOP_S)
        except TimeoutError:
            # it may have ended just now
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.communicate()

    async def exchange(self, line: bytes) -> Mapping[str, Any]:
        """Send a line and give the answer; raises ChildError."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise ChildError("the process was not started")
        process.stdin.write(line)
        async for said in process.stdout:
            # libraries print advice to standard output; answers are the lines that are JSON objects
            if said.startswith(b"{"):
                answer: Mapping[str, Any] = json.loads(said)
                return answer
        _, last = await process.communicate()
        words = last.decode(errors="replace")[-_LAST_WORDS:]
        raise ChildError(f"{' '.join(self._command)} ended without an answer:\n{words}")


class EmulatorProcess(LineProcess):
    """The emulated service, with its control interface."""

    def __init__(self, python: str, service: Service) -> None:
        super().__init__([python, "-m", "benchmarks.service.emulator"])
        self._service = service
        self._control = ""
        self.url = ""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        addresses = await self.exchange(self._service.line())
        self.url, self._control = addresses["gemini"], addresses["control"]
        return self

    async def set_faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Put faults in force from now on."""
        await self._ask("PUT", "gemini/faults", list(faults))

    async def now(self) -> float:
        """The service's time in Unix seconds."""
        return float((await self._ask("GET", "state"))["clock"]["now"])

    async def diary(self) -> list[dict[str, Any]]:
        """Every request it received, oldest first."""
        found: list[dict[str, Any]] = await self._ask("GET", "gemini/diary")
        return found

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.request(method, f"{self._control}/_sandbox/{path}", json=body) as answer,
        ):
            return await answer.json()


class ClientProcess(LineProcess):
    """One client, ready when its block is entered."""

    def __init__(self, command: Sequence[str], setup: Setup) -> None:
        super().__init__(command)
        self._setup = setup

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.exchange(_line(self._setup.document()))
        return self

    async def play(self, load: Load) -> list[User]:
        """Let it serve users; answers their fates."""
        answer = await self.exchange(_line(order_document(load)))
        return [User(*row) for row in answer["users"]]

    async def burn(self, order: Burn) -> float:
        """Let it ask as fast as it may; answers CPU milliseconds per question."""
        return float((await self.exchange(_line(order_document(order))))["cpu_ms"])


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONUNBUFFERED": "1"}
