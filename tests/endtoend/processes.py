"""The sandbox and the bot as processes of their own, and the control interface as a person's hands.

``SandboxProcess`` and ``BotProcess`` start, wait until ready, and stop. ``Control`` speaks the control interface over
HTTP. Nothing here reaches into the bot: what a test sees is what a person would see.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import aiohttp

ROOT = Path(__file__).resolve().parent.parent.parent
OPENAPI = ROOT.parent / "shared" / "reference" / "discord-openapi.json"
_PATIENCE_S = 60.0
LOADING = 1 << 7
CURSOR = "▍"


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a fresh machine: no token, no key, no setting of this project."""
    foreign = (
        "GEMINI",
        "GOOGLE",
        "DISCORD",
        "DATABASE",
        "MESSAGE_CONTENT",
        "ADMIN",
        "LOG_LEVEL",
        "USER_",
        "SERVER_",
        "TOTAL_",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # a test asks in a minute what a person asks in a day
    unlimited = {"USER_REQUESTS_PER_MINUTE": "0", "USER_REQUESTS_PER_DAY": "0", "SERVER_REQUESTS_PER_MINUTE": "0"}
    return {**kept, **unlimited, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "error::ResourceWarning", **more}


async def eventually(check: Callable[[], Any], *, seconds: float = _PATIENCE_S) -> Any:
    """Wait until an awaitable check answers something true, and give that."""
    async with asyncio.timeout(seconds):
        while not (found := await check()):  # noqa: ASYNC110  # the condition lives in another process
            await asyncio.sleep(0.02)
    return found


class Control:
    """A person at the page: everything goes over the control interface."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def get(self, path: str, **query: Any) -> Any:
        async with self._session.get(f"{self.url}/_sandbox/{path}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def send(self, method: str, path: str, body: Any, *, status: int = 200) -> Any:
        async with self._session.request(method, f"{self.url}/_sandbox/{path}", json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if status == 200 else None

    async def upload(self, path: str, payload: dict[str, Any], files: list[tuple[str, str, bytes]]) -> Any:
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(payload), content_type="application/json")
        for index, (name, mime_type, content) in enumerate(files):
            form.add_field(f"files[{index}]", content, filename=name, content_type=mime_type)
        async with self._session.post(f"{self.url}/_sandbox/{path}", data=form, headers={"X-Sandbox": "1"}) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def channel(self, name: str = "general") -> str:
        state = await self.get("state")
        return next(str(one["id"]) for one in state["channels"] if one.get("name") == name)

    async def command(
        self, name: str, options: dict[str, Any], *, user: str = "Mina", channel: str | None = None
    ) -> str:
        where = channel or await self.channel()
        answer = await self.send("POST", f"channels/{where}/commands", {"name": name, "options": options, "user": user})
        return str(answer["interaction_id"])

    async def responses(self, interaction: str) -> list[dict[str, Any]]:
        answer = await self.get(f"interactions/{interaction}", wait="5")
        return list(answer["responses"])

    async def answered(self, interaction: str, *, seconds: float = _PATIENCE_S) -> list[dict[str, Any]]:
        """The finished responses of a command: nothing is loading any more, and no cursor runs."""

        async def finished() -> list[dict[str, Any]]:
            found = await self.responses(interaction)
            running = any(one.get("flags", 0) & LOADING or _runs(one) for one in found)
            return [] if running else found

        found = await eventually(finished, seconds=seconds)
        assert isinstance(found, list)
        return found

    async def ask(self, prompt: str, **more: Any) -> str:
        """Use /ask and give the whole text of the answer."""
        found = await self.answered(await self.command("ask", {"prompt": prompt}, **more))
        return "\n".join(text_of(one) for one in found)

    async def say(self, channel: str, content: str, *, user: str = "Mina") -> dict[str, Any]:
        said = await self.send("POST", f"channels/{channel}/messages", {"content": content, "user": user})
        assert isinstance(said, dict)
        return said

    async def messages(self, channel: str) -> list[dict[str, Any]]:
        return list(await self.get(f"channels/{channel}/messages"))

    async def reply_with(self, channel: str, needle: str, *, seconds: float = _PATIENCE_S) -> dict[str, Any]:
        """The bot's finished message in a channel that contains ``needle``."""

        async def found() -> dict[str, Any] | None:
            for one in await self.messages(channel):
                if one["author"].get("bot") and needle in one["content"] and not _runs(one):
                    return one
            return None

        message = await eventually(found, seconds=seconds)
        assert isinstance(message, dict)
        return message

    async def violations(self) -> list[Any]:
        return list(await self.get("violations"))


def _runs(message: dict[str, Any]) -> bool:
    return str(message.get("content", "")).rstrip().endswith(CURSOR)


def text_of(message: dict[str, Any]) -> str:
    """All that a person reads in a message: content, and the texts of its embeds."""
    texts = [str(message.get("content", ""))]
    for embed in message.get("embeds", ()):
        texts += [str(embed.get("title", "")), str(embed.get("description", ""))]
        texts += [f"{field['name']}\n{field['value']}" for field in embed.get("fields", ())]
        texts.append(str(embed.get("footer", {}).get("text", "")))
    return "\n".join(text for text in texts if text)


class _Process:
    """One child process whose output is kept for a failing test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output: list[str] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.output.append(line.decode(errors="replace").rstrip())

    @property
    def text(self) -> str:
        return "\n".join(self.output)

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, seconds: float = 26.0) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
            await self._reader
        return code


class SandboxProcess(_Process):
    """``python -m sandbox`` on free ports."""

    url: str
    addresses: dict[str, Any]

    @classmethod
    async def start(cls, *arguments: str) -> Self:
        judge = ("--openapi", str(OPENAPI)) if OPENAPI.exists() else ()
        mine = cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "sandbox",
                "--port",
                "0",
                *judge,
                *arguments,
                cwd=ROOT,
                env=clean_environment(),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        )

        async def ready() -> dict[str, Any] | None:
            assert mine.process.returncode is None, mine.text
            lines = [line for line in mine.output if line.startswith('{"ready"')]
            return json.loads(lines[0])["ready"] if lines else None

        mine.addresses = await eventually(ready)
        mine.url = str(mine.addresses["page"]).rstrip("/")
        return mine


class BotProcess(_Process):
    """``python bot.py`` in a working folder of its own."""

    @classmethod
    async def start(cls, folder: Path, *arguments: str, **environment: str) -> Self:
        return await cls._start(folder, str(ROOT / "bot.py"), *arguments, **environment)

    @classmethod
    async def start_module(cls, folder: Path, module: str, *arguments: str, **environment: str) -> Self:
        """Start a module of the tests that runs the bot in its own way."""
        return await cls._start(folder, "-m", module, *arguments, PYTHONPATH=str(ROOT), **environment)

    @classmethod
    async def _start(cls, folder: Path, *command: str, **environment: str) -> Self:
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                cwd=folder,
                env=clean_environment(**environment),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        )

    async def online(self, control: Control) -> None:
        """Wait until the emulated Discord has the bot online with its commands."""

        async def is_online() -> bool:
            assert self.process.returncode is None, self.text
            state = await control.get("state")
            return bool(state["bot"]["online"] and state["commands"])

        await eventually(is_online, seconds=90)
