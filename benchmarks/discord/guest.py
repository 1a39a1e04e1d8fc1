"""The bot's process: the real composition root before the crowd's emulators, with a watch on its event loop.

``python -m benchmarks.discord.guest`` reads where everything is (a line of JSON, see ``Addresses``), becomes the bot as
``bot.py`` composes it for Discord proper, and says ``{"ready": true}`` with the seconds until it was connected. Then
every line is an order: ``begin`` forgets what was measured, ``look`` gives it. The end of the input is the end of the
bot. What always holds: settings are those of the product, but for the limits of fair use, which a crowd in one server
would run into.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

import bot
from benchmarks.discord.figures import LoopLag
from sandbox.redirect import redirect_discord
from utils.i18n import load_catalogues
from utils.security import Redactor

_OPTIONS = bot.Options(part=None, url=None, port=None, keep=True, auto=False)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the emulators are, and where the bot keeps what it stores; ``begun_at`` is when its process was started.

    ``begun_at`` is by ``time.monotonic``, which all processes of one machine share.
    """

    discord: str
    token: str
    gemini: str
    keys: str
    folder: str
    begun_at: float = 0.0

    def line(self) -> bytes:
        """Give it as the line the process reads."""
        return json.dumps(asdict(self)).encode() + b"\n"

    def settings(self) -> dict[str, str]:
        """Give the environment in which the bot finds all this."""
        return {
            "DISCORD_TOKEN": self.token,
            "GEMINI_API_KEYS": self.keys,
            "GOOGLE_GEMINI_BASE_URL": self.gemini,
            "DATABASE_URL": f"sqlite:///{self.folder}/data/bot.db",
            "MASTER_KEY_FILE": f"{self.folder}/keys/master.key",
            "SERVER_REQUESTS_PER_MINUTE": "0",
            "SERVER_REQUESTS_PER_DAY": "0",
            "USER_REQUESTS_PER_MINUTE": "0",
            "LOG_LEVEL": "WARNING",
        }


async def live(addresses: Addresses) -> None:
    """Be the bot until the input ends."""
    lag = LoopLag()
    async with AsyncExitStack() as stack:
        made, token = await bot.compose(_OPTIONS, Redactor(), stack)
        bot.keep_for_good()
        connected = asyncio.Event()

        async def on_connect() -> None:
            connected.set()

        made.add_listener(on_connect)
        connection = asyncio.create_task(made.start(token.reveal()))
        await connected.wait()
        seconds = time.monotonic() - addresses.begun_at
        await made.wait_until_ready()
        _say({"ready": True, "seconds": seconds})
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            if order["do"] == "begin":
                lag.begin()
                _say({"begun": True})
            else:
                _say({"lags_ms": lag.lags_ms(), "cpu": lag.cpu_share()})
        await made.running.drain(0)
        await made.close()
        await asyncio.wait([connection])


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read where everything is, then live."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    addresses = Addresses(**json.loads(sys.stdin.readline()))
    os.environ.update(addresses.settings())
    url = addresses.discord
    redirect_discord(f"{url}/api/v10", f"{url.replace('http', 'ws', 1)}/gateway", url)
    load_catalogues()
    asyncio.run(live(addresses))


if __name__ == "__main__":
    main()
