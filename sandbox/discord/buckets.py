"""Rate limits: fixed windows per bucket and channel (or interaction token), and one over all.

``Buckets.take`` counts one request and answers with the ``Standing`` that Discord puts into its headers. Time is the
real monotonic clock, since the bot waits by it. A request above the limit is not counted, only refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.discord.limits import DiscordLimits


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bucket stands after a request; ``retry_after`` (seconds) is set when it was refused."""

    bucket: str
    limit: int
    remaining: int
    reset_after: float
    retry_after: float | None = None
    everywhere: bool = False

    def headers(self, now: float) -> dict[str, str]:
        """Return Discord's X-RateLimit headers; ``now`` is the wall clock in seconds."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{now + self.reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(self.bucket.encode()).hexdigest()[:32],
        }


class Buckets:
    """All buckets of one bot."""

    def __init__(self, limits: DiscordLimits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, bucket: str, major: str) -> Standing | None:
        """Count a request; ``major`` is the channel or token. None when this bucket has no limit."""
        if bucket not in self._limits.buckets or not self._limits.bucket_scale:
            return None
        count, length = self._limits.buckets[bucket]
        return self._count(bucket, major, max(1, int(count * self._limits.bucket_scale)), length)

    def take_global(self) -> Standing | None:
        """Count a request against the limit over all routes; None unless it is refused."""
        if not self._limits.bucket_scale:
            return None
        limit = max(1, int(self._limits.global_per_s * self._limits.bucket_scale))
        standing = self._count("global", "", limit, 1.0)
        return standing if standing.retry_after is not None else None

    def _count(self, bucket: str, major: str, limit: int, length: float) -> Standing:
        now = self._monotonic()
        start, used = self._windows.get((bucket, major), (now, 0))
        if now - start >= length:
            start, used = now, 0
        left = start + length - now
        if used >= limit:
            return Standing(bucket, limit, 0, left, retry_after=left, everywhere=bucket == "global")
        self._windows[bucket, major] = (start, used + 1)
        return Standing(bucket, limit, limit - used - 1, left)
