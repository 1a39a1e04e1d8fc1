"""In the sandbox nothing beyond this machine is contacted, by the bot or by the sandbox it starts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import aiohttp

from tests.endtoend.processes import BotProcess, Control, clean_environment, eventually

GUARD = Path(__file__).resolve().parent / "guard"


async def test_a_fresh_start_speaks_to_loopback_only(tmp_path: Path) -> None:
    """From the first import to a streamed answer no other address is looked up or connected to."""
    log = tmp_path / "network.log"
    bot = await BotProcess.start(
        tmp_path,
        "--auto",
        "--port",
        "0",
        PYTHONPATH=str(GUARD),
        NETWORK_GUARD_LOG=str(log),
        HTTPS_PROXY="http://192.0.2.1",
    )

    async def page() -> str | None:
        assert bot.process.returncode is None, bot.text
        found = re.search(r"Open (http://127\.0\.0\.1:\d+)/", bot.text)
        return found[1] if found else None

    async with aiohttp.ClientSession() as session:
        control = Control(await eventually(page), session)
        await bot.online(control)
        assert "#q-1:" in await control.ask("Hello #q-1")
        assert await control.violations() == []
    assert await bot.stop() == 0, bot.text
    # the file is there, so the watch was on
    assert log.read_text(encoding="utf-8") == ""


def test_the_watch_sees_what_goes_outside(tmp_path: Path) -> None:
    """A connection beyond loopback is written down, so that an empty file means something."""
    log = tmp_path / "network.log"
    script = "import socket; socket.socket().connect(('192.0.2.7', 80))"
    subprocess.run(
        [sys.executable, "-c", script],
        env=clean_environment(PYTHONPATH=str(GUARD), NETWORK_GUARD_LOG=str(log)),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert log.read_text(encoding="utf-8") == "192.0.2.7\n"
