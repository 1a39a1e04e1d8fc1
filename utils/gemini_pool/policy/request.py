"""A question's life without I/O: ``step(now)`` says what to do next, ``feed(outcome, now)`` takes what happened.

``step`` answers ``Call`` (make one attempt under this lease within these limits), ``Wait`` (look again at that time, or
sooner when something changed), ``Answered`` or ``Refuse``. What always holds: every ``Call`` is followed by exactly one
``feed``; one deadline covers waiting, attempts and backoff; the number of paid attempts is bounded; the caller's own
mistake ends the request at once. The dispatcher and the simulator drive the same object.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.latency import Limits, limits
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import FREE_MOVES, Kind, Outcome, Refused
from utils.gemini_pool.policy.retry import allowed_retries, backoff_s
from utils.gemini_pool.policy.selection import Wishes
from utils.gemini_pool.policy.waiting import Obstacle, Slot

#: A slot that is free but not for this request (a probe it has no time for) is looked at again after this long.
_SHORTEST_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class Call:
    """Make one attempt."""

    lease: Lease
    limits: Limits
    #: Ask for the answer in pieces even if the caller wants it whole, because whole answers ran out of time.
    stream_inside: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at ``until`` (the clock's seconds), or sooner when something changed."""

    until: float
    obstacle: Obstacle | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The request was answered."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request ends without an answer; ``refused`` for the caller's own fault, else ``obstacle``."""

    detail: str
    attempts: int
    obstacle: Obstacle | None = None
    refused: Refused | None = None
    retry_after: float | None = None
    guess: bool = False


Step = Call | Wait | Answered | Refuse


class Lender(Protocol):
    """What a request needs of the policy."""

    config: PoolConfig

    def begin(self, model: str, wishes: Wishes, now: float) -> Lease | None:
        """Begin a call, or None when nothing can serve now."""

    def end(self, lease: Lease, outcome: Outcome, now: float) -> None:
        """End a call."""

    def next_slot(self, model: str, now: float) -> Slot:
        """When the next call could begin."""

    def forgive(self, lease: Lease, now: float) -> None:
        """Take back the fault of a call."""


class Request:
    """One question; not shared between threads without the pool's lock."""

    __slots__ = (
        "_deadline_s",
        "_ended",
        "_last",
        "_lease",
        "_lender",
        "_most_retries",
        "_not_before",
        "_overrun",
        "_overruns",
        "_paid",
        "_rng",
        "_tried",
        "attempts",
        "deadline_at",
        "model",
    )

    def __init__(
        self,
        lender: Lender,
        model: str,
        *,
        now: float,
        deadline_s: float,
        max_retries: int | None,
        rng: random.Random,
    ) -> None:
        self._lender = lender
        self._rng = rng
        self._deadline_s = deadline_s
        self._most_retries = allowed_retries(lender.config, max_retries)
        self._not_before = now
        self._tried: frozenset[int] = frozenset()
        self._paid = 0
        self._overruns = 0
        self._overrun: Lease | None = None
        self._lease: Lease | None = None
        self._last: Outcome | None = None
        self._ended: Answered | Refuse | None = None
        self.model = model
        self.attempts = 0
        self.deadline_at = now + deadline_s

    def step(self, now: float) -> Step:
        """Say what to do next."""
        if self._ended is not None:
            return self._ended
        if now >= self.deadline_at or (self.attempts and self._too_late(now)):
            return self._end(self._out_of_time(now))
        if now < self._not_before:
            return Wait(min(self._not_before, self.deadline_at), None)
        lease = self._lender.begin(self.model, self._wishes(now), now)
        if lease is None:
            return self._wait_or_refuse(now)
        self._lease = lease
        self.attempts += 1
        config = self._lender.config
        limit = limits(
            config,
            deadline_s=self._deadline_s,
            remaining_s=self.deadline_at - now,
            overruns=self._overruns,
            another_live=lease.another_live,
        )
        return Call(lease, limit, stream_inside=self._overruns > 0)

    def feed(self, outcome: Outcome, now: float, *, delivered: bool = False, resumable: bool = False) -> None:
        """Take the outcome of the call in.

        ``delivered``: the reader has seen a part of the answer already. ``resumable``: another key can go on with what
        was seen; the rest then has a deadline of its own, since the reader no longer waits for a first word.
        """
        lease, self._lease = self._lease, None
        if lease is None:
            raise RuntimeError("feed() without a call under way")
        self._last = outcome
        self._lender.end(lease, outcome, now)
        if outcome.kind is Kind.OK:
            self._ended = Answered()
        elif outcome.kind is Kind.CALLER:
            self._end(Refuse(outcome.detail, self.attempts, refused=outcome.refused or Refused.INVALID))
        elif outcome.kind is Kind.CANCELLED:
            self._end(Refuse("cancelled", self.attempts, obstacle=Obstacle.FAULTS))
        elif delivered and not resumable:
            self._end(Refuse(outcome.detail, self.attempts, obstacle=Obstacle.FAULTS))
        else:
            if delivered:
                self.deadline_at = now + self._deadline_s
            self._move_on(lease, outcome, now, delivered=delivered)

    def _move_on(self, lease: Lease, outcome: Outcome, now: float, *, delivered: bool) -> None:
        self._tried = self._tried | {lease.lane.key.position}
        if outcome.kind in FREE_MOVES:
            return
        if outcome.kind is Kind.TIMEOUT and not delivered:
            self._count_overrun(lease, now)
        self._paid += 1
        if self._paid > self._most_retries:
            self._end(Refuse(outcome.detail, self.attempts, obstacle=_obstacle_of(outcome)))
            return
        self._not_before = now + backoff_s(self._lender.config, self._paid, self._rng)

    def _count_overrun(self, lease: Lease, now: float) -> None:
        """Two keys in a row that run out of time for one question: it is the question that takes long."""
        self._overruns += 1
        before, self._overrun = self._overrun, lease
        if before is not None and before.lane is not lease.lane:
            self._lender.forgive(before, now)
            self._lender.forgive(lease, now)

    def _wishes(self, now: float) -> Wishes:
        config = self._lender.config
        enough = self.deadline_at - now > config.usual_p97_s + config.first_byte_s
        return Wishes(tried=self._tried, may_probe=enough or not self._tried)

    def _wait_or_refuse(self, now: float) -> Step:
        config = self._lender.config
        slot = self._lender.next_slot(self.model, now)
        if slot.at is None:
            return self._end(Refuse("", self.attempts, obstacle=slot.obstacle))
        if slot.at + min(config.usual_p97_s, self._deadline_s / 2) > self.deadline_at:
            return self._end(
                Refuse(
                    self._last.detail if self._last else "",
                    self.attempts,
                    obstacle=slot.obstacle,
                    retry_after=slot.at - now,
                    guess=slot.guess,
                )
            )
        return Wait(max(slot.at, now + _SHORTEST_WAIT_S), slot.obstacle)

    def _too_late(self, now: float) -> bool:
        return self.deadline_at - now < min(self._lender.config.usual_p50_s, self._deadline_s / 10)

    def _out_of_time(self, now: float) -> Refuse:
        slot = self._lender.next_slot(self.model, now)
        obstacle = _obstacle_of(self._last) if self._last else slot.obstacle
        if self._last is None or self._last.kind is Kind.TIMEOUT:
            obstacle = Obstacle.DEADLINE
        after = None if slot.at is None else max(0.0, slot.at - now)
        return Refuse(self._last.detail if self._last else "", self.attempts, obstacle, None, after, slot.guess)

    def _end(self, refuse: Refuse) -> Refuse:
        self._ended = refuse
        return refuse


def _obstacle_of(outcome: Outcome) -> Obstacle:
    obstacles = {
        Kind.QUOTA: Obstacle.QUOTA,
        Kind.NO_QUOTA_HERE: Obstacle.QUOTA,
        Kind.OVERLOADED: Obstacle.OVERLOADED,
        Kind.KEY_DEAD: Obstacle.ALL_DEAD,
    }
    return obstacles.get(outcome.kind, Obstacle.FAULTS)
