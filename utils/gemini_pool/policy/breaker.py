"""The gate of a key for a model, and the breaker of a whole model.

``Gate``: live -> open (ejected) -> half-open -> live. ``ModelBreaker``: closed, or open with single probes. What always
holds: at most one probe is under way through a half-open gate and through an open breaker; a gate's ``version`` changes
with every change of state, so that the outcome of a call begun before it can be told from a later one. Whether a key
may be ejected at all (the others must be better, and enough must remain) is decided by ``policy/pools.py``.
"""

from __future__ import annotations

import random
from enum import StrEnum

from utils.gemini_pool.policy.config import PoolConfig


class GateState(StrEnum):
    """Where a gate stands."""

    LIVE = "live"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Gate:
    """Lets requests through to one key for one model, or keeps them away for a while."""

    __slots__ = (
        "_config",
        "_healthy_since",
        "_ill_since",
        "_rng",
        "_state",
        "ejections",
        "faults_in_row",
        "open_until",
        "probing",
        "timeouts_in_row",
        "version",
    )

    def __init__(self, config: PoolConfig, rng: random.Random) -> None:
        self._config = config
        self._rng = rng
        self._state = GateState.LIVE
        self._healthy_since = 0.0
        self._ill_since: float | None = None
        self.ejections = 0
        self.faults_in_row = 0
        self.timeouts_in_row = 0
        self.open_until = 0.0
        self.probing = False
        self.version = 0

    def state(self, now: float) -> GateState:
        """Where it stands; an open gate whose time is up is half-open."""
        if self._state is GateState.OPEN and now >= self.open_until:
            self._state = GateState.HALF_OPEN
            self.version += 1
        return self._state

    def is_live(self, now: float) -> bool:
        """Whether any number of requests may pass."""
        return self.state(now) is GateState.LIVE

    def wants_probe(self, now: float) -> bool:
        """Whether exactly one request may pass to find out."""
        return self.state(now) is GateState.HALF_OPEN and not self.probing

    def count_fault(self, *, timeout: bool) -> None:
        """Lengthen the run of faults."""
        self.faults_in_row += 1
        self.timeouts_in_row += 1 if timeout else 0

    def count_success(self) -> None:
        """End the run of faults."""
        self.faults_in_row = self.timeouts_in_row = 0

    def looks_bad(self, calls: float, error: float) -> bool:
        """Whether its own record alone would be enough to eject the key."""
        config = self._config
        return (
            self.faults_in_row >= config.open_after_faults
            or self.timeouts_in_row >= config.open_after_timeouts
            or (calls >= config.open_min_calls and error > config.open_error_rate)
        )

    def open(self, now: float) -> None:
        """Eject: nothing passes for a time that doubles with every ejection and is capped."""
        config = self._config
        if self._state is GateState.LIVE:
            if now - self._healthy_since >= config.forget_ejections_after_s:
                self.ejections = 0
            self._ill_since = now
        self.ejections += 1
        ill = now - (self._ill_since if self._ill_since is not None else now)
        length = min(
            config.open_first_s * 2.0 ** (self.ejections - 1),
            max(config.open_floor_s, config.open_ill_share * ill),
            config.open_cap_s,
        )
        length *= 1.0 - self._rng.uniform(0.0, config.open_jitter)
        self.open_until = now + length
        self.probing = False
        self._change(GateState.OPEN)

    def close(self, now: float) -> None:
        """Let everything through again; the run of faults is forgotten."""
        self.count_success()
        self.probing = False
        self._healthy_since = now
        self._ill_since = None
        self._change(GateState.LIVE)

    def reset(self) -> None:
        """Start anew, as an operator asked."""
        self.close(0.0)
        self.ejections = 0

    def restore(self, *, ejections: int, open_until: float, ill_since: float) -> None:
        """Take up an ejection that began before a restart."""
        self.ejections = ejections
        self.open_until = open_until
        self._ill_since = ill_since
        self._change(GateState.OPEN)

    @property
    def ill_since(self) -> float | None:
        """When the present illness began, in the clock's seconds; None while live."""
        return self._ill_since

    def _change(self, state: GateState) -> None:
        self._state = state
        self.version += 1


class ModelBreaker:
    """Notices that a model is overloaded for everybody, and then sends single probes only.

    ``run``: the present run of 503; 0 as soon as anything else shows that the model is there.
    """

    __slots__ = ("_config", "_delay", "_keys", "is_open", "next_probe_at", "probing", "run")

    def __init__(self, config: PoolConfig) -> None:
        self._config = config
        self.run = 0
        self._keys: set[int] = set()
        self._delay = config.model_probe_first_s
        self.is_open = False
        self.next_probe_at = 0.0
        self.probing = False

    def count_overload(self, key: int, live_keys: int, now: float) -> bool:
        """Count a 503 of a key (by position); answers True when this opens the breaker."""
        if self.is_open:
            return False
        self.run += 1
        self._keys.add(key)
        needed = min(self._config.model_open_keys, max(1, live_keys))
        if self.run < self._config.model_open_after or len(self._keys) < needed:
            return False
        self.is_open = True
        self._delay = self._config.model_probe_first_s
        self.next_probe_at = now + self._delay
        return True

    def count_answer(self) -> bool:
        """Count anything but a 503 that proves the model is there; answers True when this closes the breaker."""
        was_open = self.is_open
        self.run = 0
        self._keys.clear()
        self.is_open = self.probing = False
        return was_open

    def probe_failed(self, now: float) -> None:
        """Wait twice as long before the next probe."""
        self.probing = False
        self._delay = min(self._delay * 2.0, self._config.model_probe_cap_s)
        self.next_probe_at = now + self._delay

    def wants_probe(self, now: float) -> bool:
        """Whether one request may pass now."""
        return self.is_open and not self.probing and now >= self.next_probe_at
