"""What the pool costs: CPU time per request beside the plain SDK, and the time to choose a key.

``python -m benchmarks.pool`` starts the Gemini emulator in a process of its own, asks it through the plain google-genai
client in turn over eight keys and through the pool, in interleaved rounds, and prints the medians of this process's CPU
time and their ratio within the run. Wall time is not compared: machines are noisy.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import cycle
from pathlib import Path

from google import genai
from google.genai import types

from utils.gemini_pool import GeminiAPIPool, PoolConfig
from utils.gemini_pool.policy import KeySpec, Kind, Outcome, Policy
from utils.gemini_pool.policy.selection import Wishes

_MODEL = "gemini-4-hydrogen"
_PROMPT = "In one sentence: why is the sky blue?"
_ROUNDS = 7
_REQUESTS = 200

Ask = Callable[[], Awaitable[object]]


async def cpu_ms(ask: Ask, at_once: int) -> float:
    """CPU milliseconds of this process per request, with so many under way at once."""
    left = iter(range(_REQUESTS))

    async def work() -> None:
        for _ in left:
            await ask()

    begun = time.process_time()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return (time.process_time() - begun) * 1000 / _REQUESTS


async def compare(plain: Ask, pooled: Ask, at_once: int) -> tuple[float, float]:
    """Medians of interleaved rounds, the plain SDK's first."""
    await cpu_ms(plain, at_once)
    await cpu_ms(pooled, at_once)
    rounds = [(await cpu_ms(plain, at_once), await cpu_ms(pooled, at_once)) for _ in range(_ROUNDS)]
    return statistics.median(one for one, _ in rounds), statistics.median(other for _, other in rounds)


def plain_ways(clients: list[genai.Client]) -> tuple[Ask, Ask]:
    """Ask through the plain SDK, each key in turn: whole and streamed."""
    turn = cycle(clients)

    async def whole() -> None:
        await next(turn).aio.models.generate_content(model=_MODEL, contents=_PROMPT)

    async def streamed() -> None:
        async for _ in await next(turn).aio.models.generate_content_stream(model=_MODEL, contents=_PROMPT):
            pass

    return whole, streamed


def pooled_ways(pool: GeminiAPIPool) -> tuple[Ask, Ask]:
    """Ask through the pool: whole and streamed."""

    async def whole() -> None:
        answer, success = await pool.generate_content(prompt=_PROMPT)
        if not success:
            raise RuntimeError(str(answer))

    async def streamed() -> None:
        async for _ in pool.stream_content(prompt=_PROMPT):
            pass

    return whole, streamed


async def requests_table(base_url: str, specs: list[str]) -> list[str]:
    """Rows of the table: whole and streamed, at 16 and 64 at once."""
    options = types.HttpOptions(base_url=base_url, retry_options=types.HttpRetryOptions(attempts=1))
    clients = [genai.Client(api_key=spec.rpartition(":")[2], enterprise=False, http_options=options) for spec in specs]
    pool = GeminiAPIPool(specs, base_url=base_url)
    rows = []
    for name, plain, pooled in zip(("whole", "streamed"), plain_ways(clients), pooled_ways(pool), strict=True):
        for at_once in (16, 64):
            base, ours = await compare(plain, pooled, at_once)
            rows.append(f"| {name}, {at_once} at once | {base:.2f} ms | {ours:.2f} ms | {ours / base:.2f} |")
    for client in clients:
        await client.aio.aclose()
        client.close()
    await pool.aclose()
    return rows


def choosing_row(keys: int) -> str:
    """Microseconds to choose a key and count the call's start and end, with every key a project of its own."""
    specs = [KeySpec(f"{number:016x}") for number in range(keys)]
    policy = Policy(PoolConfig(), time.monotonic, time.time, random.Random(1), keys=specs)
    wishes, fine = Wishes(), Outcome(Kind.OK)
    samples = []
    calls = max(20, 20_000 // keys)
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(calls):
            lease = policy.begin(_MODEL, wishes, time.monotonic())
            if lease is not None:
                policy.end(lease, fine, time.monotonic())
        samples.append((time.perf_counter() - begun) / calls * 1e6)
    return f"| {keys:,} | {statistics.median(samples):,.1f} us |"


def main() -> None:
    """Print both tables."""
    child = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--parts", "gemini", "--speed", "10000"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
    )
    try:
        if child.stdout is None:
            raise RuntimeError("the sandbox says nothing")
        child.stdout.readline()
        addresses = json.loads(child.stdout.readline())["ready"]
        rows = asyncio.run(requests_table(addresses["gemini_base_url"], addresses["gemini_keys"]))
    finally:
        child.terminate()
        child.wait()
    print(f"CPU time per request, median of {_ROUNDS} interleaved rounds of {_REQUESTS} requests over 8 keys\n")
    print("| | plain SDK in turn | pool | ratio |\n|---|---|---|---|")
    print("\n".join(rows))
    print("\nTime to choose a key and to count a call's start and end\n\n| keys | median |\n|---|---|")
    print("\n".join(choosing_row(keys) for keys in (4, 100, 1000, 10_000)))


if __name__ == "__main__":
    main()
