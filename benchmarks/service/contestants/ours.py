"""Our pool: as it comes, or (variant ``plain``) with the plain form of the formula.

What always holds: its constants are the product's own; time is scaled by the loop it runs in, not by them.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from benchmarks.service.driving import Contestant, serve
from benchmarks.service.protocol import Setup
from benchmarks.service.scaled_time import Wall
from utils.gemini_pool import GeminiAPIPool, PoolConfig, PoolError


class Pooled:
    """Asks through one pool."""

    def __init__(self, pool: GeminiAPIPool) -> None:
        self._pool = pool

    async def ask(self, question: str, patience_s: float) -> str:
        """Answer the text; raises PoolError."""
        answer, _ = await self._pool.generate_content(prompt=question, deadline_s=patience_s)
        if isinstance(answer, PoolError):
            raise answer
        return answer.text or ""

    async def aclose(self) -> None:
        """Close the pool."""
        await self._pool.aclose()


async def make(setup: Setup) -> Contestant:
    """Make a pool that knows what the setup tells."""
    constants = PoolConfig.plain() if setup.variant == "plain" else PoolConfig()
    declared = setup.rpm or 0 if setup.told else 0
    pool = GeminiAPIPool(
        [key.spec if setup.told else key.secret for key in setup.keys],
        config=replace(constants, requests_per_minute=declared),
        base_url=setup.base_url,
        default_model=setup.model,
        clock=asyncio.get_running_loop().time,
        wall=Wall(setup.speed),
        rng=random.Random(setup.seed),
    )
    # opens the connections' session and builds the SDK's models, as a bot does at its start; no key is judged by it
    await pool.list_models()
    return Pooled(pool)


if __name__ == "__main__":
    serve(make)
