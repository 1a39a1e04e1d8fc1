"""Memory of a process with many keys of which every one was used.

Each way runs in a process of its own (``python -m benchmarks.memory WAY KEYS ADDRESS``), which prints the resident
memory after its imports and after every key was used, in bytes. Plain clients cost 40 ms each to make, so a tenth of
them is made and the growth taken tenfold. A database's first start loads what makes its tables, no later one does.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import AsyncExitStack
from pathlib import Path

from google import genai
from google.genai import types

from benchmarks.emulator import ROOT, Service, emulator
from utils.gemini_pool import GeminiAPIPool

KEYS = 1_000
_AT_ONCE = 16
_FEWER = 10
_MODEL = "gemini-4-hydrogen"


def resident() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def plain(service: Service) -> int:
    """Make a client for every key and ask with it."""
    options = types.HttpOptions(base_url=service.address, retry_options=types.HttpRetryOptions(attempts=1))
    secrets = [spec.rpartition(":")[2] for spec in service.specs]
    clients = [genai.Client(api_key=secret, enterprise=False, http_options=options) for secret in secrets]
    for client in clients:
        await client.aio.models.generate_content(model=_MODEL, contents="Hello")
    used = resident()
    for client in clients:
        await client.aio.aclose()
        client.close()
    return used


async def pooled(service: Service, database: str | None) -> int:
    """Ask through a pool until every key was used."""
    async with AsyncExitStack() as stack:
        store = None
        if database is not None:
            from utils.storage import open_storage  # noqa: PLC0415  # it is not in the memory of who does without

            store = (await stack.enter_async_context(open_storage(database))).statistics
        pool = await stack.enter_async_context(GeminiAPIPool(service.specs, base_url=service.address, store=store))
        left = iter(range(len(service.specs)))

        async def work() -> None:
            for _ in left:
                answer, success = await pool.generate_content(prompt="Hello")
                if not success:
                    raise RuntimeError(str(answer))

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
        unused = sum(not figures["usage"] for figures in pool.get_api_key_stats()["key_usage"].values())
        if unused:
            raise RuntimeError(f"{unused} keys were not used")
        return resident()


def run(way: str, service: Service, database: str | None) -> dict[str, int]:
    """Measure one way in this process."""
    warnings.simplefilter("ignore")
    before = resident()
    used = asyncio.run(plain(service) if way == "plain" else pooled(service, database))
    return {"before": before, "after": used}


def row(name: str, way: str, service: Service, times: int = 1, *, database: str | None = None) -> str:
    """Measure one way in a process of its own."""
    specs = service.specs[: len(service.specs) // times]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", way],
        cwd=ROOT,
        input=json.dumps({"service": {"address": service.address, "specs": specs}, "database": database}),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    growth = (said["after"] - said["before"]) * times
    return f"| {name} | {growth / 1e6:,.0f} MB | {(said['before'] + growth) / 1e6:,.0f} MB |"


def table() -> list[str]:
    """Rows: plain clients, the pool, the pool with a database at its first start and at every later one."""
    with emulator(KEYS) as service, tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/bench.db"
        return [
            f"| {KEYS:,} keys, all used | growth | whole process |",
            "|---|---|---|",
            row("plain clients", "plain", service, _FEWER),
            row("pool", "pooled", service),
            row("pool with a database, at its first start", "pooled", service, database=database),
            row("pool with a database, later", "pooled", service, database=database),
        ]


if __name__ == "__main__":
    told = json.load(sys.stdin)
    print(json.dumps(run(sys.argv[1], Service(**told["service"]), told["database"])))
