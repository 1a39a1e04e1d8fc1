"""A running Gemini emulator, and pools of the unmodified SDK pointed at it, for every test of this folder."""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator, Limits
from utils.gemini_pool import GeminiAPIPool, PoolConfig

MODEL = "gemini-4-hydrogen"
OTHER_MODEL = "gemini-3.8-flash"
PROJECT_ROOT = Path(__file__).resolve().parents[2]
#: The rules as they are, with waits short enough for a test; nothing is decided by how long they are.
QUICK = PoolConfig(
    first_byte_s=0.4,
    #: what is learned of answers on this machine would leave no room for a busy one
    first_byte_floor=1.0,
    between_chunks_s=0.4,
    backoff_first_s=0.001,
    usual_p50_s=0.05,
    usual_p97_s=0.1,
)
_SLOWNESS = re.compile(r"Executing <.*> took \d+\.\d+ seconds")
_NOT_ERRORS = frozenset({"ok", "request", "cancelled", "400", "404", "promptblock", "safety", "slow", "continuation"})


def make_specs(count: int, keys_per_project: int = 1) -> list[str]:
    """Draw keys ``k1@p1:...``; anew for every test, so that no secret is a constant."""
    rng = random.SystemRandom()
    return [
        f"k{number + 1}@p{number // keys_per_project + 1}:{'AQ' + '.'}{rng.getrandbits(200):050x}"
        for number in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Script:
    """How a script ended."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Running:
    """An emulator that listens, and how to build pools for it."""

    emulator: GeminiEmulator
    address: str
    specs: list[str]
    stack: AsyncExitStack

    def pool(self, count: int | None = None, *, config: PoolConfig = QUICK, **options: Any) -> GeminiAPIPool:
        """Make a pool over the first ``count`` keys (None: all); it is closed at the end of the test."""
        seeded = {"rng": random.Random(7), **options}
        pool = GeminiAPIPool(api_keys=self.specs[:count], base_url=self.address, config=config, **seeded)
        self.stack.push_async_callback(pool.aclose)
        return pool

    def environment(self, count: int | None = None) -> dict[str, str]:
        """Give what the default pool reads, for a process of its own; nothing of ours but the way to Python."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(PROJECT_ROOT),
            "GEMINI_API_KEYS": ",".join(self.specs[:count]),
            "GOOGLE_GEMINI_BASE_URL": self.address,
        }

    def break_key(self, *labels: str, kind: str, **more: Any) -> None:
        """Put one fault on these keys, in place of all faults before."""
        self.emulator.set_faults([{"keys": list(labels), "kind": kind, **more}])

    def break_all(self, kind: str, **more: Any) -> None:
        """Put one fault on every key, in place of all faults before."""
        self.emulator.set_faults([{"kind": kind, **more}])

    def heal(self) -> None:
        """Take all faults away."""
        self.emulator.set_faults([])

    def asked(self) -> list[dict[str, Any]]:
        """Every request to generate that was received, oldest first."""
        return [entry for entry in self.emulator.diary() if "enerateContent" in entry["path"]]

    def asked_by_key(self) -> Counter[str]:
        """How many requests to generate came with each key."""
        return Counter(entry["key"] for entry in self.asked())

    def errors_by_key(self) -> Counter[str]:
        """How many of them ended in a fault, a quota or a dead key."""
        return Counter(entry["key"] for entry in self.asked() if entry["outcome"] not in _NOT_ERRORS)

    def secrets(self) -> list[str]:
        """Every key's secret."""
        return [spec.rpartition(":")[2] for spec in self.specs]


Start = Callable[..., Awaitable[Running]]


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that another task brings about; ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # the emulator has no event to offer for what is waited for
            await asyncio.sleep(0.002)


async def run_script(
    arguments: Sequence[str], environment: dict[str, str], folder: Path, *, limit_s: float = 60.0
) -> Script:
    """Run Python in a process of its own; a script that does not end by itself fails the test."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=environment,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(limit_s):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        pytest.fail("the script did not end by itself")
    # asyncio's debug mode tells how slow this machine is right now, which is no complaint about the script
    said = [line for line in err.decode().splitlines() if not _SLOWNESS.fullmatch(line)]
    return Script(process.returncode or 0, out.decode(), "\n".join(said))


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start emulators with parameters of one's own; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def run(count: int = 4, *, keys_per_project: int = 1, **parameters: Any) -> Running:
            specs = make_specs(count, keys_per_project)
            given = {"latency_s": 0.0, "gap_s": 0.0, "limits": Limits(None, None, None), **parameters}
            emulator = GeminiEmulator(SandboxClock(), EventBus(), keys=specs, **given)
            runner = web.AppRunner(emulator.app())
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return Running(emulator, f"http://127.0.0.1:{runner.addresses[0][1]}", specs, stack)

        yield run


@pytest.fixture
async def running(start: Start) -> Running:
    """An emulator without latency and without quota: four keys, each of a project of its own."""
    return await start()
