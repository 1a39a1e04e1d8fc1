"""What outcomes do to the health of a model's keys: errors, gates, and the breaker of the whole model.

``Health`` takes in how calls ended and answers which lanes changed, for ``pools`` to move. What always holds: a lane is
ejected only if it is clearly worse than the others together, and never more than half of the keys that are not dead; a
call that began before a change of its gate counts, but opens nothing; faults that turn out to be the model's are taken
back from its keys, and while its breaker is open a 503 is no key's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from utils.gemini_pool.policy.breaker import GateState, ModelBreaker
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Kind
from utils.gemini_pool.policy.projects import Lane
from utils.gemini_pool.policy.score import FORGOTTEN, DecayedRate, Scale
from utils.gemini_pool.policy.selection import Probe


class Health:
    """The health of one model's lanes.

    ``scale``: the unit of all error counts; ``total``: the counts of all lanes together; ``ejected``: the lanes whose
    gate is not live, dead keys' included; ``alive``: how many keys are not dead.
    """

    def __init__(self, config: PoolConfig, now: float) -> None:
        self._config = config
        self.scale = Scale(config.error_half_life_s, now)
        self.total = DecayedRate(self.scale, config.error_prior)
        self.breaker = ModelBreaker(config)
        self.ejected: set[Lane] = set()
        self.alive = 0
        #: Lanes whose 503 belongs to the present run, with the gate's version before it.
        self._overload_run: list[tuple[Lane, int]] = []

    def rate(self) -> DecayedRate:
        """Make the counts of a lane."""
        return DecayedRate(self.scale, self._config.error_prior)

    def succeed(self, lease: Lease, now: float) -> bool:
        """Take in an answer; True when it opened the lane's gate again."""
        lane = lease.lane
        self._count(lane, faulty=False, now=now)
        lane.gate.count_success()
        self.breaker.count_answer()
        self._overload_run.clear()
        if lease.probe is Probe.GATE:
            self._forget(lane)
            self.close(lane, now)
            return True
        if lane.rate.faults(now) < FORGOTTEN:
            self.total.take_back(0.0, lane.rate.raw_faults)
            lane.rate.raw_faults = 0.0
            lane.troubled = False
        return False

    def fail(self, lease: Lease, kind: Kind, now: float) -> Sequence[Lane]:
        """Take in a fault; answers the lanes whose gate changed."""
        if kind is not Kind.OVERLOADED:
            return self._fault(lease, now, timeout=kind is Kind.TIMEOUT)
        if self.breaker.is_open:
            # of a call that was under way, or of the model's probe: it is the model that is ill
            return ()
        lane = lease.lane
        self._overload_run.append((lane, lane.gate.version))
        changed = self._fault(lease, now, timeout=False)
        in_run = {other for other, _ in self._overload_run}
        standing = self.alive - sum(other.key.dead is None and other not in in_run for other in self.ejected)
        if self.breaker.count_overload(lane.key.position, standing, now):
            return [*changed, *self._forgive_overload_run(now)]
        return changed

    def forgive(self, lease: Lease, now: float) -> bool:
        """Take back the fault of a call whose length was the question's; True: the key's gate is open again."""
        lane = lease.lane
        self._take_back_fault(lane, now)
        if lane.gate.version == lease.gate_version:
            lane.gate.count_success()
        elif lane.gate.version == lease.gate_version + 1:
            # its fault opened the gate, and nothing has happened to it since
            self.close(lane, now)
            return True
        return False

    def close(self, lane: Lane, now: float) -> None:
        """Let everything through a lane's gate again."""
        lane.gate.close(now)
        lane.troubled = lane.rate.raw_faults > 0.0
        self.ejected.discard(lane)

    def leave(self, lane: Lane) -> None:
        """Forget a lane whose key is not configured any more."""
        self.ejected.discard(lane)
        self.total.take_back(lane.rate.raw_calls, lane.rate.raw_faults)

    def restart_scale(self, lanes: Sequence[Lane], now: float) -> None:
        """Start the unit of errors anew when it has grown large."""
        factor = self.scale.restart(now)
        if factor is None:
            return
        self.total.times(factor)
        for lane in lanes:
            lane.rate.times(factor)

    def _fault(self, lease: Lease, now: float, *, timeout: bool) -> Sequence[Lane]:
        lane = lease.lane
        self._count(lane, faulty=True, now=now)
        lane.troubled = True
        if lease.gate_version != lane.gate.version:
            return ()
        if lease.probe is Probe.GATE:
            lane.gate.open(now)
            return (lane,)
        lane.gate.count_fault(timeout=timeout)
        error = lane.rate.error(now)
        if lane.gate.looks_bad(lane.rate.calls(now), error) and self._may_eject(lane, error, now):
            lane.gate.open(now)
            self.ejected.add(lane)
            return (lane,)
        return ()

    def _may_eject(self, lane: Lane, error: float, now: float) -> bool:
        out = sum(other.key.dead is None for other in self.ejected)
        if out + 1 > math.floor(self.alive * self._config.max_ejected_share):
            return False
        mine, total = lane.rate, self.total
        below = total.raw_calls - mine.raw_calls + self._config.error_prior * self.scale.unit(now)
        peers = (total.raw_faults - mine.raw_faults) / below if below > 0.0 else 0.0
        return error >= self._config.peer_factor * peers

    def _forgive_overload_run(self, now: float) -> list[Lane]:
        """The model was ill, not the keys: their part in the run is taken back."""
        changed = []
        for lane, version in self._overload_run:
            self._take_back_fault(lane, now)
            lane.gate.count_success()
            if lane.gate.version != version and lane.gate.state(now) is not GateState.LIVE:
                self.close(lane, now)
                changed.append(lane)
        return changed

    def _count(self, lane: Lane, *, faulty: bool, now: float) -> None:
        lane.rate.add(faulty=faulty, now=now)
        self.total.add(faulty=faulty, now=now)

    def _take_back_fault(self, lane: Lane, now: float) -> None:
        lane.rate.take_back_fault(now)
        self.total.take_back_fault(now)

    def _forget(self, lane: Lane) -> None:
        self.total.take_back(lane.rate.raw_calls, lane.rate.raw_faults)
        lane.rate.clear()
