"""Entering the sandbox: as a child that outlives a killed program, by its address, and every way that it fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from sandbox import SandboxError, enter
from sandbox.launch import SandboxMismatchError, SandboxStartError, SandboxUnreachableError
from sandbox.redirect import restore_discord
from sandbox.server import ServerOptions, running

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _discord_as_it_was():
    yield
    restore_discord()


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sandbox.json"


async def answers(url: str) -> bool:
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"{url}_sandbox/addresses") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False


async def test_a_child_is_started_used_and_ended(note) -> None:
    """Entering starts the sandbox and points discord.py at it; closing ends it and takes the note away."""
    import discord.http  # noqa: PLC0415 - looked at here alone

    box = await enter(port=0, state_file=note)
    try:
        assert box.started_child
        assert len(box.gemini_keys) == 8
        assert await answers(box.page_url)
        assert discord.http.Route.BASE.startswith("http://127.0.0.1:")
        assert json.loads(note.read_text())["run_id"] == box.run_id
    finally:
        await box.close()
    assert not await answers(box.page_url)
    assert not note.exists()
    await box.close()


async def test_no_secret_is_shown_by_a_sandbox(note) -> None:
    """Even emulated keys and tokens stay out of what is printed."""
    box = await enter(port=0, state_file=note)
    try:
        assert box.discord_token not in repr(box)
        assert box.gemini_keys[0].rsplit(":", 1)[1] not in repr(box)
    finally:
        await box.close()


async def test_a_program_that_was_killed_finds_its_sandbox_again(note) -> None:
    """A kill -9 leaves the sandbox running; the next start joins the same run, and its clean stop ends it."""
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from sandbox import enter\n"
        "async def main():\n"
        "    box = await enter(port=0, state_file=Path(sys.argv[1]))\n"
        "    print(box.run_id, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-c", script, str(note), cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    run_id = (await program.stdout.readline()).decode().strip()
    program.kill()
    await program.wait()
    box = await enter(state_file=note)
    try:
        assert box.run_id == run_id
        assert box.started_child
    finally:
        await box.close()
    assert not await answers(box.page_url)


async def test_a_note_of_a_sandbox_that_is_gone_is_ignored(note) -> None:
    """Another run at the noted address, a dead address or a spoiled note lead to a new child."""
    async with running(ServerOptions(port=0)) as other:
        for text in (
            json.dumps({"page": other.page_url, "run_id": "another", "parts": "all"}),
            json.dumps({"page": "http://evil.test/", "run_id": "x", "parts": "all"}),
            "[",
        ):
            note.parent.mkdir(exist_ok=True)
            note.write_text(text)
            box = await enter(parts="gemini", port=0, state_file=note)
            try:
                assert box.run_id not in ("another", "x", other.run_id)
            finally:
                await box.close()


async def test_a_running_sandbox_is_joined_by_address_and_left_running(note) -> None:
    """With an address nothing is started, noted or ended."""
    async with running(ServerOptions(port=0)) as other:
        box = await enter(url=other.page_url, state_file=note)
        assert (box.run_id, box.started_child) == (other.run_id, False)
        assert other.presence.idle_s() == 0
        await box.close()
        assert await answers(other.page_url)
    assert not note.exists()


async def test_half_a_sandbox_has_only_its_half(note) -> None:
    """With the Gemini alone discord.py stays as it is and has no token; with the Discord alone there are no keys."""
    import discord.http  # noqa: PLC0415 - looked at here alone

    before = discord.http.Route.BASE
    gemini = await enter(parts="gemini", port=0, state_file=note)
    assert (gemini.discord_token, len(gemini.gemini_keys)) == ("", 8)
    assert before == discord.http.Route.BASE
    await gemini.close()
    only = await enter(parts="discord", port=0, state_file=note)
    assert (only.gemini_base_url, only.gemini_keys) == ("", ())
    assert only.discord_token
    await only.close()


@pytest.mark.parametrize(
    "url", ["http://evil.test/", "https://127.0.0.1:1/", "ftp://127.0.0.1/", "nonsense", "http://127.0.0.1:1"]
)
async def test_an_address_that_does_not_answer_is_a_sentence(url) -> None:
    """Nothing outside this machine is asked, and a dead port says what to do."""
    with pytest.raises(SandboxUnreachableError, match=r"--sandbox-url.*\.$"):
        await enter(url=url, state_file=None)


async def test_another_server_is_no_sandbox(other_server) -> None:
    """A port where something else answers is told apart from a sandbox."""
    with pytest.raises(SandboxMismatchError, match="is no sandbox"):
        await enter(url=other_server, state_file=None)


@pytest.fixture
async def other_server():
    async def hello(_request):
        return web.json_response({"hello": "world"})

    app = web.Application()
    app.router.add_get("/_sandbox/addresses", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_sandbox_without_the_needed_part_is_refused() -> None:
    """Joining half a sandbox for the whole names both."""
    async with running(ServerOptions(port=0, parts="gemini")) as half:
        with pytest.raises(SandboxMismatchError, match="--parts gemini; start one with --parts all"):
            await enter(url=half.page_url, state_file=None)


async def test_a_taken_port_is_a_sentence(note) -> None:
    """The child's own sentence comes through, and no child is left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SandboxStartError, match=rf"^Port {port} is taken; .*--port\.$"):
            await enter(port=port, state_file=note)
    assert not note.exists()


async def test_a_note_that_cannot_be_written_is_a_sentence(tmp_path) -> None:
    """A folder that is a file ends in a sentence that names it, and the child is ended."""
    (tmp_path / "data").write_text("a file")
    with pytest.raises(SandboxError, match=r"cannot be written .*make its folder writable\.$"):
        await enter(parts="gemini", port=0, state_file=tmp_path / "data" / "sandbox.json")


async def test_proxies_of_the_environment_are_not_used(note, monkeypatch) -> None:
    """A proxy that swallows everything does not come between a program and its sandbox."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    box = await enter(parts="gemini", port=0, state_file=note)
    await box.close()


async def run_module(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        *arguments,
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_sandbox_cleanly(number) -> None:
    """The first line is for people, the second for programs; a signal ends it with code 0 and no complaint."""
    process = await run_module("--port", "0")
    assert process.stdout is not None
    assert (await process.stdout.readline()).startswith(b"Sandbox: http://127.0.0.1:")
    ready = json.loads(await process.stdout.readline())["ready"]
    async with aiohttp.ClientSession() as session, session.get(f"{ready['page']}_sandbox/events") as stream:
        await stream.content.readline()
        os.kill(process.pid, number)
        _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "70000"),
        ("--port", "x"),
        ("--speed", "0"),
        ("--parts", "none"),
        ("--nonsense",),
        ("--openapi", "/nowhere.json"),
    ],
)
async def test_wrong_arguments_end_with_code_2(arguments) -> None:
    """What cannot be meant is refused before anything listens, without a traceback."""
    process = await run_module("--port", "0", *arguments)
    output, errors = await process.communicate()
    assert process.returncode == 2
    assert b"Traceback" not in errors
    assert b"ready" not in output


async def test_a_taken_port_ends_the_module_with_code_2() -> None:
    """Run alone, the sandbox says in one sentence that its port is taken."""
    async with running(ServerOptions(port=0)) as other:
        port = other.page_url.rstrip("/").rsplit(":", 1)[1]
        process = await run_module("--port", port)
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode() == f"Port {port} is taken; stop what uses it or choose another with --port.\n"


async def test_a_sandbox_that_nobody_uses_ends_by_itself() -> None:
    """With a limit of idleness it stops on its own, cleanly."""
    process = await run_module("--port", "0", "--leave-when-idle", "0.2")
    await process.communicate()
    assert process.returncode == 0
