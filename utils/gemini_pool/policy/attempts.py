"""What one request has tried at one model, and what it may still try.

``Attempts`` keeps the keys that were tried, the further attempts that were paid for, the time before which the next
may not begin, and the overruns: attempts that ran out of time. What always holds: a move after a quota refusal or a
dead key is free; after a fault it is paid for, from what the request is allowed and from the budget of all; what the
budget gave is returned when the request is answered. What a request is told that may try no more is ``request``'s.
"""

from __future__ import annotations

import random

from utils.gemini_pool.policy.budget import RetryBudget
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import FREE_MOVES, Kind, Outcome
from utils.gemini_pool.policy.retry import backoff_s


class Attempts:
    """The attempts of one request at one model.

    ``not_before``: when the next may begin (the clock's seconds). ``starved``: nobody pays for it, so it waits in the
    line like a newcomer.
    """

    __slots__ = (
        "_budget",
        "_config",
        "_most",
        "_overrun",
        "_paid",
        "_rng",
        "_spent",
        "not_before",
        "overruns",
        "starved",
        "tried",
    )

    def __init__(self, config: PoolConfig, budget: RetryBudget, rng: random.Random, most: int, now: float) -> None:
        self._config = config
        self._budget = budget
        self._rng = rng
        self._most = most
        self._paid = 0
        self._spent = 0.0
        self._overrun: Lease | None = None
        self.overruns = 0
        self.tried: frozenset[int] = frozenset()
        self.starved = False
        self.not_before = now

    def answered(self) -> None:
        """Return to the budget what it gave, now that the request is answered."""
        self._budget.answered(self._spent)

    def failed(self, lease: Lease, outcome: Outcome, now: float) -> bool:
        """Take in an attempt that was not answered; answers whether another may follow."""
        self.tried = self.tried | {lease.lane.key.position}
        if outcome.kind in FREE_MOVES:
            return True
        self._paid += 1
        if self._paid > self._most:
            return False
        price = self._budget.pay()
        if price is None:
            self.starved = True
        else:
            self._spent += price
            self.not_before = now + backoff_s(self._config, self._paid, self._rng)
        return True

    def hedged(self, lease: Lease, rival: Lease) -> bool:
        """Pay for a second call while another is under way; False: nobody pays for it."""
        price = self._budget.pay()
        if price is None:
            return False
        self._spent += price
        self.tried = self.tried | {lease.lane.key.position, rival.lane.key.position}
        return True

    def overran(self, lease: Lease, outcome: Outcome) -> tuple[Lease, ...]:
        """Count an attempt that ran out of time; answers the leases whose faults it takes back.

        Two keys in a row that run out of time for one question: it is the question that takes long, not the keys.
        """
        if outcome.kind is not Kind.TIMEOUT:
            return ()
        self.overruns += 1
        before, self._overrun = self._overrun, lease
        return (before, lease) if before is not None and before.lane is not lease.lane else ()
