"""How long LiteLLM's Router takes to choose: ``python -m ... DEPLOYMENTS [...]`` prints microseconds, a line each.

Nothing is asked and nothing is connected to; the strategy is its default. Runs in LiteLLM's own environment.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

from benchmarks.service.contestants.litellm_router import GROUP, build_router
from benchmarks.service.protocol import KeyEntry, Setup

_CHOICES = 2_000
_ROUNDS = 5
_NOBODY = "http://127.0.0.1:9"


async def choosing_us(deployments: int) -> float:
    """Microseconds to choose among so many deployments, the median of some rounds."""
    keys = tuple(KeyEntry(f"key-{number}", f"project-{number}", f"none-{number}") for number in range(deployments))
    router = build_router(Setup(_NOBODY, "gemini-4-hydrogen", keys, keys[0]))
    calls = max(10, _CHOICES // deployments)
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        for _ in range(calls):
            await router.async_get_available_deployment(model=GROUP, request_kwargs={})
        rounds.append((time.perf_counter() - begun) / calls * 1e6)
    return statistics.median(rounds)


if __name__ == "__main__":
    for text in sys.argv[1:]:
        print(f"{asyncio.run(choosing_us(int(text))):.1f}")
