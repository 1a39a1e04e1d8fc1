"""A command is killed with the process that answers it, at the worst moment: whoever saw the bot think gets one answer.

Discord holds its answer to the acknowledgement back, so that the person sees "thinking" while the process has not
heard of it yet; then the process is killed, with nothing tidied up, and another one is started. The other way round the
acknowledgement never arrives: Discord has told the person that the command failed, and nothing follows.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sandbox.discord import DiscordEmulator
from sandbox.server import ServerOptions, running
from tests.start.conftest import PATIENCE_S, Launch

T = TypeVar("T")
CALLBACK = "POST /interactions/*/callback"
LOADING = 1 << 7
STARTER = 21


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """Wait until ``look`` gives something true, and give that."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await look()):  # noqa: ASYNC110 - what is looked at comes from another process
            await asyncio.sleep(0.02)
    return found


class Scene:
    """A person, a channel, and a bot that can be killed."""

    def __init__(self, discord: DiscordEmulator, url: str, launch: Launch, folder: Path) -> None:
        self.discord = discord
        self._url = url
        self._launch = launch
        self._database = folder / "data" / "sandbox.db"
        self._bot: Any = None
        self.general = next(str(c["id"]) for c in discord.state()["channels"] if c["name"] == "general")

    async def start(self) -> None:
        """Start the bot and wait until it is ready."""
        self._bot = await self._launch("--sandbox-url", self._url)
        await self._bot.line("ready")

    async def kill(self) -> None:
        """End the bot at once."""
        self._bot.signal(signal.SIGKILL)
        await self._bot.end()

    def invoke(self, name: str, options: dict[str, Any], files: Sequence[tuple[str, str, bytes]] = ()) -> str:
        """Use a command; gives the interaction."""
        return self.discord.invoke(self.general, name=name, options=options, user="Mina", locale="en-US", files=files)

    async def acknowledged(self, interaction: str) -> None:
        """Wait until Discord shows that the bot thinks."""

        async def look() -> bool:
            return (await self.discord.interaction(interaction))["acknowledged_ms"] is not None

        await until(look)

    async def response(self, interaction: str) -> dict[str, Any]:
        """Wait for the one response to a command, once it thinks and is written no more."""

        async def look() -> list[dict[str, Any]]:
            found = (await self.discord.interaction(interaction))["responses"]
            return [one for one in found if not one["flags"] & LOADING and not one["content"].endswith("▍")]

        [only] = await until(look)
        return dict(only)

    def said(self, channel: str) -> list[dict[str, Any]]:
        """Give what the bot said in a channel."""
        me = self.discord.state()["bot"]["id"]
        return [m for m in self.discord.messages(channel) if m["author"]["id"] == me and m["type"] != STARTER]

    def turns(self) -> list[tuple[str, str | None]]:
        """Give state and error of every turn, oldest first."""
        if not self._database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT state, error_kind FROM turns ORDER BY id").fetchall()

    async def quiet(self) -> None:
        """Wait until the bot has dealt with all that came before; what is doubled comes late."""
        marker = self.discord.invoke(self.general, name="ask", options={"prompt": "done? #q-99"}, user="Ada")
        assert "#q-99" in (await self.response(marker))["content"]


@pytest.fixture
async def scene(launch: Launch, tmp_path: Path) -> AsyncIterator[Scene]:
    """A bot that is ready; at the end no rule of the platform was broken."""
    async with running(ServerOptions(port=0)) as box:
        assert box.discord is not None
        made = Scene(box.discord, box.page_url, launch, tmp_path)
        await made.start()
        yield made
        assert box.discord.violations() == []


async def killed_while_it_thinks(scene: Scene, name: str, options: dict[str, Any], **more: Any) -> str:
    """Use a command, kill the bot when Discord shows that it thinks, and start another; gives the interaction."""
    scene.discord.faults.delay(CALLBACK, 3.0)
    interaction = scene.invoke(name, options, **more)
    await scene.acknowledged(interaction)
    await scene.kill()
    await scene.start()
    return interaction


async def test_a_question_that_was_acknowledged_is_answered_once(scene: Scene) -> None:
    """The thinking message becomes the answer."""
    interaction = await killed_while_it_thinks(scene, "ask", {"prompt": "hello #q-1"})
    assert "#q-1" in (await scene.response(interaction))["content"]
    await scene.quiet()
    assert sum("#q-1" in m["content"] for m in scene.said(scene.general)) == 1
    assert scene.turns()[0] == ("answered", None)


async def test_a_question_whose_files_were_not_fetched_yet_is_told_so_once(scene: Scene) -> None:
    """The files are gone with the process; the sentence says what to do, and the turn is no answer."""
    files = [("a.txt", "text/plain", b"words")]
    interaction = await killed_while_it_thinks(scene, "ask", {"prompt": "look #q-1", "file": "files[0]"}, files=files)
    assert "restarted" in (await scene.response(interaction))["content"]
    assert scene.turns()[0] == ("failed", "files_lost")


async def test_a_command_that_is_not_stored_is_told_to_be_used_again(scene: Scene) -> None:
    """What makes a picture is not done twice: its user reads what to do in place of the thinking."""
    interaction = await killed_while_it_thinks(scene, "image", {"prompt": "a boat #q-1"})
    assert "restarted" in (await scene.response(interaction))["content"]
    assert scene.turns() == []


@pytest.mark.parametrize("prompt", [{"prompt": "how do bees fly? #q-1"}, {}])
async def test_a_chat_that_was_acknowledged_gets_its_thread_once(scene: Scene, prompt: dict[str, str]) -> None:
    """The thinking message names the thread, in which the first question, if there is one, is answered once."""
    interaction = await killed_while_it_thinks(scene, "chat", prompt)
    answer = await scene.response(interaction)
    [thread] = scene.discord.state()["threads"]
    assert thread["id"] in answer["content"]

    async def answered() -> bool:
        return not prompt or any("#q-1" in m["content"] and m["content"][-1] != "▍" for m in scene.said(thread["id"]))

    await until(answered)
    await scene.quiet()
    assert sum("#q-1" in m["content"] for m in scene.said(thread["id"])) == len(prompt)


@pytest.mark.parametrize(("name", "options"), [("ask", {"prompt": "hello #q-1"}), ("chat", {"prompt": "hi #q-1"})])
async def test_a_command_that_was_never_acknowledged_is_left_alone(
    scene: Scene, name: str, options: dict[str, str]
) -> None:
    """Discord said that it failed; nothing is said later, and the turn is marked as given up."""
    scene.discord.faults.fail(CALLBACK, times=5, status=502)
    scene.invoke(name, options)

    async def stored() -> list[tuple[str, str | None]]:
        return scene.turns()

    await until(stored)
    await scene.kill()
    scene.discord.faults.clear()
    await scene.start()

    async def given_up() -> bool:
        return scene.turns()[:1] == [("failed", "given_up")]

    await until(given_up)
    await scene.quiet()
    assert [m for m in scene.said(scene.general) if "#q-1" in m["content"]] == []
    assert scene.discord.state()["threads"] == []
