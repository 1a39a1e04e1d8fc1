"""How long an attempt may take, and how long an answer usually takes.

The limits are the fixed starting values of ``PoolConfig``. ``Limits`` goes with every attempt: the first byte, the gap
between two chunks, and the whole. What always holds: while another key could take over, waiting for the first byte
takes at most a share of the deadline, so that one hanging key cannot use it up.
"""

from __future__ import annotations

from dataclasses import dataclass

from utils.gemini_pool.policy.config import PoolConfig


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: until the first byte, between two chunks, and the widening that an overrun brings."""

    first_byte_s: float
    between_chunks_s: float


def limits(config: PoolConfig, *, deadline_s: float, remaining_s: float, overruns: int, another_live: bool) -> Limits:
    """Give one attempt's limits.

    ``deadline_s``: the whole time the request was given; ``remaining_s``: what is left of it; ``overruns``: how many of
    its attempts ran out of time, each of which doubles the limit, since a long answer looks like a hanging key.
    """
    first = config.first_byte_s * 2.0**overruns
    if another_live:
        first = min(first, max(config.first_byte_s, deadline_s * config.first_byte_share))
    return Limits(first_byte_s=max(0.0, min(first, remaining_s)), between_chunks_s=config.between_chunks_s)
