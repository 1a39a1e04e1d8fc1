"""A whole life in the sandbox: started with nothing, asked, stopped, killed, and started again."""

from __future__ import annotations

import signal
import time

import pytest

from sandbox.server import ServerOptions, running
from tests.start.conftest import Control
from utils.security.masterkeys import MasterKeys
from utils.storage import open_storage

REAL = {
    "DISCORD_TOKEN": "canary-real-token",
    "GEMINI_API_KEYS": "canary-real-key",
    "GOOGLE_GEMINI_BASE_URL": "http://canary.invalid",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}


async def open_thread(control: Control) -> str:
    """Open a chat; gives the thread's id."""
    body = {"name": "chat", "options": {}, "user": "Mina"}
    made = await control.send("POST", f"channels/{await control.channel('general')}/commands", body)
    while not (await control.get("state"))["threads"]:
        await control.get(f"interactions/{made['interaction_id']}?wait=5")
    return str((await control.get("state"))["threads"][0]["id"])


async def test_nothing_configured_starts_the_sandbox_and_stops_cleanly(launch, control, tmp_path):
    """`--auto` with nothing: the first line says so, a question is answered, SIGTERM ends all with exit code 0."""
    bot = await launch("--auto", "--port", "0")
    page = await bot.page()
    assert "sandbox" in bot.lines[0]
    await bot.line("ready")
    world = control(page)
    body = {"name": "ask", "options": {"prompt": "hello #q-1"}, "user": "Mina"}
    made = await world.send("POST", f"channels/{await world.channel('general')}/commands", body)
    answered = await world.get(f"interactions/{made['interaction_id']}?wait=10")
    assert answered["acknowledged_ms"] < 3000
    await world.say(await world.channel("general"), f"<@{(await world.get('state'))['bot']['id']}> #q-2", "#q-2")
    assert await world.get("violations") == []
    bot.signal(signal.SIGTERM)
    code, _, errors = await bot.end()
    assert code == 0, errors
    assert "Traceback" not in errors
    assert not (tmp_path / "data" / "sandbox.json").exists()


async def test_the_sandbox_ignores_everything_real(launch):
    """Real keys, token, addresses and proxies are neither used nor shown."""
    async with running(ServerOptions(port=0)) as box:
        assert box.gemini is not None
        bot = await launch("--sandbox-url", box.page_url, LOG_LEVEL="DEBUG", **REAL)
        await bot.line("ready")
        bot.signal(signal.SIGTERM)
        code, _, errors = await bot.end()
        assert {entry["status"] for entry in box.gemini.diary()} == {200}
        secrets = [spec.rpartition(":")[2] for spec in box.gemini.key_specs()]
    assert code == 0
    shown = errors + "".join(bot.lines)
    assert "canary" not in shown
    assert not any(secret in shown for secret in secrets)
    assert box.discord is not None
    assert box.discord.bot_token not in shown


async def test_a_killed_bot_finds_its_sandbox_and_its_threads_again(launch, control, tmp_path):
    """After kill -9 and a new start the next answer is given with the first turn in mind."""
    bot = await launch("--auto", "--port", "0")
    page = await bot.page()
    await bot.line("ready")
    world = control(page)
    thread = await open_thread(world)
    await world.said(await world.channel("general"), f"<#{thread}>")
    await world.say(thread, "the word is birch #q-1", "#q-1")
    bot.signal(signal.SIGKILL)
    await bot.end()
    again = await launch("--auto")
    assert await again.page() == page
    await again.line("ready")
    await world.say(thread, "which word? #q-2", "#q-2")
    # the conversation's title may be asked for as well
    diary = [e for e in await world.get("gemini/diary") if "#q-2" in str(e["turns"])]
    [last] = [e for e in diary if not e["system"].startswith("Write a title")]
    assert [turn["role"] for turn in last["turns"]] == ["user", "model", "user"]
    assert "birch" in last["turns"][0]["text"]


@pytest.mark.parametrize(("arguments", "kept"), [((), None), (("--keep",), "here")])
async def test_a_new_run_starts_empty_unless_it_is_kept(launch, tmp_path, arguments, kept):
    """Another run of the sandbox begins with an empty database; `--keep` carries it over."""
    url = f"sqlite:///{tmp_path / 'data' / 'sandbox.db'}"
    keys = MasterKeys(tmp_path / ".keys" / "sandbox.key")
    async with open_storage(url, keys=keys) as storage:
        await storage.meta.set("sandbox.run_id", "an earlier run")
        await storage.meta.set("marker", "here")
    async with running(ServerOptions(port=0)) as box:
        bot = await launch("--sandbox-url", box.page_url, *arguments)
        await bot.line("ready")
        bot.signal(signal.SIGTERM)
        assert (await bot.end())[0] == 0
    async with open_storage(url, keys=keys) as storage:
        assert await storage.meta.get("marker") == kept
        assert await storage.meta.get("sandbox.run_id") == box.run_id


async def test_a_second_signal_does_not_wait_for_an_answer(launch, control):
    """One SIGTERM lets a hanging answer have its time, the second ends it; the exit code stays 0."""
    bot = await launch("--auto", "--port", "0")
    page = await bot.page()
    await bot.line("ready")
    world = control(page)
    await world.send("PUT", "gemini/faults", [{"kind": "hang"}])
    body = {"name": "ask", "options": {"prompt": "never"}, "user": "Mina"}
    made = await world.send("POST", f"channels/{await world.channel('general')}/commands", body)
    while not any("enerate" in entry["path"] for entry in await world.get("gemini/diary")):
        await world.get(f"interactions/{made['interaction_id']}?wait=0.1")
    bot.signal(signal.SIGTERM)
    await bot.line("Stopping")
    started = time.monotonic()
    bot.signal(signal.SIGTERM)
    code, _, errors = await bot.end()
    assert code == 0, errors
    assert "Traceback" not in errors
    assert time.monotonic() - started < 15
