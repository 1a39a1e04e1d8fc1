"""A Gemini without quota and latency in a process of its own, for everything that is measured beside it.

``emulator(keys)`` is a context manager that starts the process and gives its address and its keys, each of a project of
its own; ``python -m benchmarks.emulator KEYS`` is that process. What always holds: it ends with the block, and what it
costs is in no figure of the process that measures.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator, Limits

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Service:
    """Where the emulator listens, and its keys as ``label@project:secret``."""

    address: str
    specs: list[str]


@contextmanager
def emulator(keys: int) -> Iterator[Service]:
    """Run an emulator with so many keys; raises ``RuntimeError`` when it does not come up."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.emulator", str(keys)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        if child.stdout is None:
            raise RuntimeError("the emulator says nothing")
        said = json.loads(child.stdout.readline() or "null")
        if said is None:
            raise RuntimeError("the emulator did not come up")
        yield Service(**said)
    finally:
        child.terminate()
        child.wait()


async def serve(keys: int) -> None:
    """Serve until the process is ended."""
    specs = [f"k{number}@p{number}:AQ.{number:050x}" for number in range(keys)]
    unlimited = Limits(None, None, None)
    gemini = GeminiEmulator(SandboxClock(), EventBus(), keys=specs, latency_s=0.0, gap_s=0.0, limits=unlimited)
    runner = web.AppRunner(gemini.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"address": f"http://127.0.0.1:{runner.addresses[0][1]}", "specs": specs}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
