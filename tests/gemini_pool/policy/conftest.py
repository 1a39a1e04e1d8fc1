"""The rules with a clock that is turned by hand and dice of a known seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from utils.gemini_pool.policy import KeySpec, Kind, Outcome, Policy, PoolConfig
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.projects import Lane
from utils.gemini_pool.policy.selection import Wishes

MODEL = "m"
OK = Outcome(Kind.OK)
FAULT = Outcome(Kind.FAULT)
TIMEOUT = Outcome(Kind.TIMEOUT)
OVERLOADED = Outcome(Kind.OVERLOADED)
DEAD = Outcome(Kind.KEY_DEAD, detail="API_KEY_INVALID")
CALLER = Outcome(Kind.CALLER)
CANCELLED = Outcome(Kind.CANCELLED)
NO_QUOTA = Outcome(Kind.NO_QUOTA_HERE)
#: 2026-11-21 00:00:00 UTC, a day of 24 hours in Los Angeles.
WALL = 1_795_219_200.0


def quota(retry_after: float | None = 30.0, window: Window = Window.MINUTE) -> Outcome:
    """Give a refusal for a full window."""
    return Outcome(Kind.QUOTA, retry_after=retry_after, window=window)


@dataclass
class World:
    """A policy over keys f0, f1, ... and the time it is."""

    config: PoolConfig = field(default_factory=PoolConfig)
    keys: int = 4
    projects: dict[int, str] = field(default_factory=dict)
    pool_size: int | None = None
    seed: int = 1
    now: float = 1000.0
    wall: float = WALL

    def __post_init__(self) -> None:
        self.policy = self.make(self.keys)

    def make(self, keys: int) -> Policy:
        """Make another policy on the same time, such as after a restart."""
        specs = [KeySpec(f"f{number}", None, self.projects.get(number)) for number in range(keys)]
        return Policy(
            self.config,
            lambda: self.now,
            lambda: self.wall,
            random.Random(self.seed),
            keys=specs,
            pool_size=self.pool_size,
        )

    def pass_time(self, seconds: float) -> None:
        """Let time go by, on both clocks."""
        self.now += seconds
        self.wall += seconds

    @property
    def pool(self) -> ModelPool:
        """The pool of the model."""
        return self.policy.pool(MODEL)

    def lane(self, key: int) -> Lane:
        """The lane of a key."""
        return self.pool.lanes[key]

    def state(self, key: int) -> GateState:
        """Where the gate of a key stands."""
        return self.lane(key).gate.state(self.now)

    def begin(self, *tried: int, may_probe: bool = True) -> Lease:
        """Begin a call that must be possible."""
        lease = self.try_begin(*tried, may_probe=may_probe)
        assert lease is not None
        return lease

    def try_begin(self, *tried: int, may_probe: bool = True) -> Lease | None:
        """Begin a call if one is possible."""
        return self.policy.begin(MODEL, Wishes(frozenset(tried), may_probe), self.now)

    def begin_on(self, key: int, **wishes: Any) -> Lease:
        """Begin a call on this very key: all others count as tried."""
        lease = self.begin(*(number for number in range(len(self.policy.keys)) if number != key), **wishes)
        assert lease.lane.key.position == key
        return lease

    def end(self, lease: Lease, outcome: Outcome) -> None:
        """End a call."""
        self.policy.end(lease, outcome, self.now)

    def call(self, outcome: Outcome, *tried: int) -> int:
        """Make a whole call; answers the key that took it."""
        lease = self.begin(*tried)
        self.end(lease, outcome)
        return lease.lane.key.position

    def call_on(self, key: int, *outcomes: Outcome) -> None:
        """Make calls on this very key, for as long as its gate is live."""
        for outcome in outcomes:
            if self.state(key) is GateState.LIVE:
                self.end(self.begin_on(key), outcome)

    def eject(self, key: int) -> None:
        """Bring a key to ejection."""
        self.call_on(key, FAULT, FAULT, FAULT)
        assert self.state(key) is GateState.OPEN


@pytest.fixture
def world() -> World:
    """Four keys, each of a project of its own, under the usual constants."""
    return World()
