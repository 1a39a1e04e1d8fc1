"""The machine's clock is an hour off, or it finds no names: people are answered, or told why, and all is well again.

The bot is a process of its own on a machine that a test orders about (``badday``); the services are joined under names
which that machine knows only as long as it is told to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.endtoend.badday import Machine
from tests.endtoend.conftest import StartBot
from tests.endtoend.processes import BotProcess, Control, SandboxProcess, eventually, text_of

_HOUR_S = 3600
_ADDRESSES = {"gemini": {"gemini_base_url"}, "discord": {"discord_api", "discord_gateway", "discord_cdn"}}


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_an_hour_off_changes_nothing(
    control: Control, start_bot: StartBot, machine: Machine, hours: int
) -> None:
    """Off from the start, and jumping while an answer runs: each command is answered in its own place, once."""
    machine.order(clock_s=hours * _HOUR_S)
    bot = await start_bot(**machine.environment())
    assert "#q-1" in await control.ask("hello #q-1")
    await control.send("PUT", "gemini/faults", [{"kind": "slow", "factor": 2}])
    running = await control.command("ask", {"prompt": "write 150 words #q-2"})

    async def begun() -> bool:
        return any("#q-2" in str(one.get("content")) for one in await control.responses(running))

    await eventually(begun)
    machine.order(clock_s=-hours * _HOUR_S)
    assert "#q-2" in text_of((await control.answered(running))[-1])
    await control.send("PUT", "gemini/faults", [])
    assert "#q-3" in await control.ask("hello #q-3")
    answers = [m["content"] for m in await control.messages(await control.channel()) if m["author"].get("bot")]
    assert [sum(f"Answer to #q-{number}" in one for one in answers) for number in (1, 2, 3)] == [1, 1, 1]
    assert "Traceback" not in bot.text, bot.text


@pytest.fixture
async def named(sandbox: SandboxProcess, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The sandbox with one of its services (``request.param``) under a name: addresses of it say ``service.test``."""
    service = request.param
    async with aiohttp.ClientSession() as session:

        async def forward(call: web.Request) -> web.Response:
            async with session.post(f"{sandbox.url}{call.path_qs}", json=await call.json()) as answer:
                return web.json_response(await answer.json() if answer.status == 200 else None, status=answer.status)

        async def addresses(_request: web.Request) -> web.Response:
            async with session.get(f"{sandbox.url}/_sandbox/addresses") as answer:
                found: dict[str, Any] = await answer.json()
            for name in found.keys() & _ADDRESSES[service]:
                found[name] = found[name].replace("127.0.0.1", "service.test")
            return web.json_response(found)

        app = web.Application()
        app.router.add_get("/_sandbox/addresses", addresses)
        app.router.add_post("/_sandbox/{rest:.*}", forward)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield "http://{}:{}".format(*runner.addresses[0])
        await runner.cleanup()


@pytest.fixture
async def bot(control: Control, named: str, machine: Machine, tmp_path: Path) -> AsyncIterator[BotProcess]:
    """A bot that finds one of the services by its name."""
    started = await BotProcess.start(tmp_path, "--sandbox", "--sandbox-url", named, **machine.environment())
    await started.online(control)
    yield started
    assert await started.stop() == 0, started.text
    assert "Traceback" not in started.text, started.text


@pytest.mark.parametrize("named", ["gemini"], indirect=True)
async def test_who_asks_while_gemini_has_no_name_is_told_why(
    control: Control, bot: BotProcess, machine: Machine
) -> None:
    """One sentence within thirty seconds; the next question after it is answered."""
    machine.order(names_gone=True)
    found = await control.answered(await control.command("ask", {"prompt": "hello #q-1"}), seconds=30)
    assert "Gemini" in text_of(found[-1])
    assert "#q-1" not in text_of(found[-1])
    machine.order()

    async def answered() -> bool:
        return "#q-2" in await control.ask("hello #q-2")

    await eventually(answered, seconds=60)
    assert bot.process.returncode is None


@pytest.mark.parametrize("named", ["discord"], indirect=True)
async def test_what_was_missed_while_discord_had_no_name_is_answered_once(
    control: Control, bot: BotProcess, machine: Machine
) -> None:
    """The session is lost and cannot be begun anew until the name is back."""
    direct = await control.channel("Mina")
    await control.say(direct, "hello #q-1")
    await control.reply_with(direct, "#q-1")
    machine.order(names_gone=True)
    await control.send("POST", "discord/drop", {"kind": "invalid"}, status=204)

    async def offline() -> bool:
        return not (await control.get("state"))["bot"]["online"]

    await eventually(offline)
    await control.say(direct, "hello #q-2")
    machine.order()
    await control.reply_with(direct, "#q-2", seconds=60)
    said = [m["content"] for m in await control.messages(direct) if m["author"].get("bot")]
    assert [sum(f"Answer to #q-{number}" in one for one in said) for number in (1, 2)] == [1, 1]
    assert bot.process.returncode is None
