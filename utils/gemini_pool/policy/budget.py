"""The retry budget of one model: what all its requests together may spend on further attempts after a fault.

A bucket of ``budget_size`` that starts full: every move after a fault costs ``budget_cost``, every request answered at
its first attempt adds ``budget_success``, and a request that is answered in the end gives back all it has paid. What
always holds: the level lies between 0 and the size; when most requests fail, retries end and the load on an ill service
falls to what is asked. A request that finds the bucket empty waits in the line like a newcomer (``policy/request.py``).
The idea: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ and the token buckets of the AWS
SDKs, which return a fixed amount; that starves requests once a third of the calls fail at random.
"""

from __future__ import annotations

from utils.gemini_pool.policy.config import PoolConfig


class RetryBudget:
    """The bucket of one model."""

    __slots__ = ("_cost", "_size", "_success", "level")

    def __init__(self, config: PoolConfig) -> None:
        self._size = config.budget_size
        self._cost = config.budget_cost
        self._success = config.budget_success
        self.level = self._size

    def pay(self) -> float | None:
        """Pay for one further attempt: answers what was taken, or None (and takes nothing) when there is too little."""
        if self.level < self._cost:
            return None
        self.level -= self._cost
        return self._cost

    def answered(self, paid: float) -> None:
        """Take in that a request was answered, for which ``paid`` had been paid; 0 stands for its first attempt."""
        self.level = min(self._size, self.level + (paid if paid > 0.0 else self._success))
