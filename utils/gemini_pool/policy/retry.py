"""How often and how soon one request tries again.

Moving to another key after a quota refusal or a dead key is free; after a fault it is paid for. What always holds: the
first move is made at once, later ones wait a random time below a doubling bound ("full jitter",
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
"""

from __future__ import annotations

import random

from utils.gemini_pool.policy.config import PoolConfig


def allowed_retries(config: PoolConfig, max_retries: int | None) -> int:
    """How many paid further attempts a request has; None: as many as the configuration says."""
    most = config.max_attempts - 1
    return most if max_retries is None else min(most, max_retries)


def backoff_s(config: PoolConfig, retry: int, rng: random.Random) -> float:
    """Seconds to wait before the ``retry``-th paid further attempt (1 is the first)."""
    if retry <= 1:
        return 0.0
    return rng.uniform(0.0, min(config.backoff_cap_s, config.backoff_first_s * 2.0 ** (retry - 2)))
