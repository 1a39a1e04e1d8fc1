"""The two processes of a measurement: the world with its crowd, and the bot, which keeps what it stores in a folder.

The first bot in a folder compiles all modules and keeps them there; those after it start as an installed bot does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.discord.figures import Spread
from benchmarks.discord.guest import Addresses
from benchmarks.discord.world import World
from benchmarks.service.children import LineProcess

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """Both, running; ``started_s``: how long the bot took from its process's start until it was connected."""

    started_s: float
    _world: LineProcess
    _guest: LineProcess

    async def order(self, do: str, **what: Any) -> Json:
        """Let the crowd do something; gives what was seen. Raises ChildError."""
        return dict(await self._world.exchange(_line({"do": do, **what})))

    async def begin(self) -> None:
        """Measure the bot's loop from now on."""
        await self._guest.exchange(_line({"do": "begin"}))

    async def look(self) -> tuple[Spread, float]:
        """Give the lag of the bot's loop (ms) and its share of a core since ``begin``."""
        told = await self._guest.exchange(_line({"do": "look"}))
        return Spread.of(told["lags_ms"]), float(told["cpu"])


@asynccontextmanager
async def stage(folder: Path, world: World) -> AsyncIterator[Stage]:
    """Start both, and end both with the block. Raises ChildError."""
    async with LineProcess([sys.executable, "-m", "benchmarks.discord.world"]) as around:
        where = await around.exchange(world.line())
        begun_at = time.monotonic()
        async with LineProcess([sys.executable, "-m", "benchmarks.discord.guest"], _compiled_in(folder)) as guest:
            told = await guest.exchange(Addresses(**where, folder=str(folder), begun_at=begun_at).line())
            yield Stage(float(told["seconds"]), around, guest)


def _compiled_in(folder: Path) -> dict[str, str]:
    """Let Python keep what it compiled, as it does where a bot is installed, whatever this machine forbids it."""
    return {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}


def _line(document: Json) -> bytes:
    return json.dumps(document).encode() + b"\n"
