"""CPU time of this process per request: the pool beside the plain google-genai client over the same keys in turn.

Both ask the same emulator process, in interleaved rounds; a ratio is the median of the ratios within each round, so
that a machine that is busy now and then does not decide it. ``rules`` is what of the pool's time the rules take, driven
without I/O. Wall time is not compared: machines are noisy.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import cycle

from google import genai
from google.genai import types

from benchmarks.emulator import Service, emulator
from utils.gemini_pool import GeminiAPIPool, PoolConfig
from utils.gemini_pool.dispatcher import Dispatcher
from utils.gemini_pool.policy import Call, KeySpec, Kind, Outcome, Policy
from utils.gemini_pool.policy.latency import Limits
from utils.gemini_pool.provider.attempts import Ask, Attempt
from utils.gemini_pool.provider.calls import Provider
from utils.gemini_pool.provider.clients import Clients
from utils.gemini_pool.provider.patience import FirstByte
from utils.gemini_pool.provider.wire import SentRequests
from utils.gemini_pool.queries import Query, prepare
from utils.security import Redactor, Secret

MODEL = "gemini-4-hydrogen"
PROMPT = "In one sentence: why is the sky blue?"
KEYS = 8
ROUNDS = 11
REQUESTS = 200

Way = Callable[[], Awaitable[object]]
#: Each of the pool's ways, and the plain one it is compared with.
ROWS = (("whole", "plain whole"), ("streamed", "plain streamed"), ("streamed inside", "plain whole"))


class InPieces(Provider):
    """A provider that asks for every whole answer in pieces, as after an overrun."""

    async def generate(
        self, fingerprint: str, ask: Ask, limits: Limits, sent: SentRequests, first_byte_s: FirstByte | None = None
    ) -> Attempt:
        """Ask in pieces."""
        return await self.generate_in_pieces(fingerprint, ask, limits, sent, first_byte_s, whole_s=30.0)


async def cpu_ms(way: Way, at_once: int) -> float:
    """CPU milliseconds of this process per request, with so many under way at once."""
    left = iter(range(REQUESTS))

    async def work() -> None:
        for _ in left:
            await way()

    gc.collect()
    begun = time.process_time()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return (time.process_time() - begun) * 1000 / REQUESTS


def rules_ms() -> float:
    """CPU milliseconds the rules take for one request that is answered at once."""
    policy = make_policy(KEYS)
    fine = Outcome(Kind.OK, input_tokens=10, output_tokens=20)
    begun = time.process_time()
    for _ in range(REQUESTS * 5):
        request = policy.request(MODEL, deadline_s=30.0)
        policy.rotate_if_due()
        if not isinstance(request.step(policy.clock()), Call):
            raise TypeError("the rules gave no key")
        request.feed(fine, policy.clock())
    return (time.process_time() - begun) * 1000 / (REQUESTS * 5)


def make_policy(keys: int, per_project: int = 1) -> Policy:
    """Make rules over so many keys."""
    specs = [KeySpec(f"{number:016x}", None, f"p{number // per_project}") for number in range(keys)]
    return Policy(PoolConfig(), time.monotonic, time.time, random.Random(1), keys=specs)


@asynccontextmanager
async def plain_ways(service: Service) -> AsyncIterator[dict[str, Way]]:
    """Ask through the plain SDK, each key in turn: whole and streamed."""
    options = types.HttpOptions(base_url=service.address, retry_options=types.HttpRetryOptions(attempts=1))
    clients = [genai.Client(api_key=_secret(spec), enterprise=False, http_options=options) for spec in service.specs]
    turn = cycle(clients)

    async def whole() -> None:
        await next(turn).aio.models.generate_content(model=MODEL, contents=PROMPT)

    async def streamed() -> None:
        async for _ in await next(turn).aio.models.generate_content_stream(model=MODEL, contents=PROMPT):
            pass

    yield {"plain whole": whole, "plain streamed": streamed}
    for client in clients:
        await client.aio.aclose()
        client.close()


@asynccontextmanager
async def pooled_ways(service: Service) -> AsyncIterator[dict[str, Way]]:
    """Ask through the pool: whole, streamed, and whole by a stream inside."""
    pool = GeminiAPIPool(service.specs, base_url=service.address)
    secrets = [Secret(_secret(spec), spec.partition("@")[0]) for spec in service.specs]
    by_fingerprint = {secret.fingerprint: secret for secret in secrets}
    policy = Policy(
        PoolConfig(), time.monotonic, time.time, random.Random(1), keys=[KeySpec(one) for one in by_fingerprint]
    )
    clients = Clients(base_url=service.address, api_version=None, proxy=None)
    provider = InPieces(clients, by_fingerprint.__getitem__, Redactor())
    dispatcher = Dispatcher(policy, provider, threading.Lock())

    async def whole() -> None:
        answer, success = await pool.generate_content(prompt=PROMPT)
        if not success:
            raise RuntimeError(str(answer))

    async def streamed() -> None:
        async for _ in pool.stream_content(prompt=PROMPT):
            pass

    async def inside() -> None:
        await dispatcher.answer(prepare(Query(prompt=PROMPT), MODEL, str, policy.config))

    yield {"whole": whole, "streamed": streamed, "streamed inside": inside}
    await pool.aclose()
    await provider.aclose()


def _secret(spec: str) -> str:
    return spec.rpartition(":")[2]


async def measure(ways: dict[str, Way], at_once: int) -> dict[str, list[float]]:
    """CPU milliseconds of every way in every round, after one round that warms up."""
    for way in ways.values():
        await cpu_ms(way, at_once)
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            samples[name].append(await cpu_ms(way, at_once))
    return samples


def line(name: str, base: list[float], ours: list[float], rules: float) -> str:
    """Write one row: medians, and the medians of the rounds' ratios with the rules' time and without."""
    whole, bare = (
        statistics.median((one - less) / other for one, other in zip(ours, base, strict=True)) for less in (0.0, rules)
    )
    return (
        f"| {name} | {statistics.median(base):.2f} ms | {statistics.median(ours):.2f} ms | {whole:.2f} | {bare:.2f} |"
    )


async def table() -> list[str]:
    """Rows: each way at 16 and 64 at once, with the rules' time and without."""
    rules = statistics.median(rules_ms() for _ in range(ROUNDS))
    rows = ["| | plain SDK in turn | pool | ratio | without the rules |", "|---|---|---|---|---|"]
    with emulator(KEYS) as service:
        async with plain_ways(service) as plain, pooled_ways(service) as pooled:
            for at_once in (16, 64):
                samples = await measure(plain | pooled, at_once)
                rows += [line(f"{ours}, {at_once} at once", samples[base], samples[ours], rules) for ours, base in ROWS]
    rows.append(f"\nThe rules take {rules * 1000:.0f} us of a request over {KEYS} keys.")
    return rows
