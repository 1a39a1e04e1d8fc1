"""What holds whatever happens: the rules under random outcomes, delays, resets and restarts."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.gemini_pool.policy.conftest import (
    CALLER,
    CANCELLED,
    DEAD,
    FAULT,
    MODEL,
    NO_QUOTA,
    OK,
    OVERLOADED,
    TIMEOUT,
    World,
    quota,
)
from utils.gemini_pool.policy import Kind, Outcome
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import FAULTS, Window
from utils.gemini_pool.policy.selection import Probe
from utils.gemini_pool.policy.statistics import key_stats, model_stats

OUTCOMES = (
    OK,
    OK,
    OK,
    FAULT,
    FAULT,
    TIMEOUT,
    OVERLOADED,
    CALLER,
    CANCELLED,
    NO_QUOTA,
    DEAD,
    quota(),
    quota(None),
    quota(5.0, Window.DAY),
    Outcome(Kind.OK, requests=3),
    Outcome(Kind.CALLER, requests=0),
)


class PolicyMachine(RuleBasedStateMachine):
    """Begins and ends calls in any order, and looks at everything after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.leases: list[Lease] = []
        self.stale: list[Lease] = []
        self.requests = 0
        self.clearings = 0

    @initialize(
        keys=st.integers(1, 6),
        per_project=st.integers(1, 3),
        pool_size=st.sampled_from([None, 2, 7]),
        seed=st.integers(0, 5),
    )
    def open(self, keys: int, per_project: int, pool_size: int | None, seed: int) -> None:
        """Make the world."""
        projects = {number: f"p{number // per_project}" for number in range(keys)}
        self.world = World(keys=keys, projects=projects, pool_size=pool_size, seed=seed)

    @rule(tried=st.frozensets(st.integers(0, 5), max_size=3), may_probe=st.booleans())
    def begin(self, tried: frozenset[int], may_probe: bool) -> None:
        """Begin a call and hold the choice against all others there were."""
        world, pool = self.world, self.world.pool
        now = world.now
        open_now = [
            lane
            for lane in pool.lanes
            if lane.key.dead is None and lane.gate.is_live(now) and lane.project.may_send(now)
        ]
        lease = world.try_begin(*tried, may_probe=may_probe)
        if lease is None:
            assert not open_now or pool.breaker.is_open
            return
        self.leases.append(lease)
        self.requests += 1
        assert lease.lane.key.dead is None
        if lease.probe is Probe.NONE:
            assert lease.lane in open_now
        if lease.project.quota.is_closed(now):
            assert lease.probe is Probe.QUOTA
            assert may_probe
        if open_now and lease.probe is not Probe.QUOTA:
            assert lease.project in {lane.project for lane in open_now} or lease.probe is Probe.GATE

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES))
    def end(self, data: st.DataObject, outcome: Outcome) -> None:
        """End any call under way; a late outcome opens nothing."""
        lease = self.leases.pop(data.draw(st.integers(0, len(self.leases) - 1)))
        gate = lease.lane.gate
        before, late = gate.state(self.world.now), lease.gate_version != gate.version
        if lease.clearing == self.clearings:
            self.requests += outcome.requests - 1
        self.world.end(lease, outcome)
        self.world.end(lease, FAULT)
        if late and outcome.kind in FAULTS:
            assert gate.state(self.world.now) is before or gate.is_live(self.world.now)

    @rule(seconds=st.sampled_from([0.0, 0.5, 3.0, 31.0, 61.0, 301.0, 3601.0, 90000.0]))
    def pass_time(self, seconds: float) -> None:
        """Let time go by and rotate as the dispatcher does."""
        self.world.pass_time(seconds)
        self.world.policy.rotate_if_due()

    @rule()
    def reset_pool(self) -> None:
        """Let an operator reset: calls under way belong to what was before."""
        self.world.policy.reset_pools([key.spec for key in self.world.policy.keys])
        self.stale += self.leases
        self.leases = []
        assert not any(key.dead for key in self.world.policy.keys)

    @precondition(lambda self: self.stale)
    @rule(outcome=st.sampled_from(OUTCOMES))
    def end_stale(self, outcome: Outcome) -> None:
        """End a call that began before a reset: it is counted, and acts on nothing."""
        lease = self.stale.pop()
        before = self.world.policy.snapshot()
        if lease.clearing == self.clearings:
            self.requests += outcome.requests - 1
        self.world.end(lease, outcome)
        assert self.world.policy.snapshot() == before

    @rule()
    def reset_counts(self) -> None:
        """Empty the counts: nothing else changes."""
        before = self.world.policy.snapshot()
        self.world.policy.reset_counts()
        self.requests = 0
        self.clearings += 1
        assert self.world.policy.snapshot() == before

    @rule()
    def restart(self) -> None:
        """Stop and start again: no dead key and no cooldown is forgotten."""
        before = self.world.policy
        documents = before.snapshot()
        dead = {key.fingerprint for key in before.keys if key.dead}
        closed = {project.name for project in self.world.pool.projects if project.quota.is_closed(self.world.now)}
        totals = {(lane.key.fingerprint, MODEL): lane.counts for lane in self.world.pool.lanes}
        self.world.policy = self.world.make(len(before.keys))
        self.world.policy.restore(totals, documents)
        self.leases, self.stale, self.clearings = [], [], 0
        assert {key.fingerprint for key in self.world.policy.keys if key.dead} == dead
        after = {project.name for project in self.world.pool.projects if project.quota.is_closed(self.world.now)}
        assert after == closed

    @invariant()
    def in_flight_is_what_is_under_way(self) -> None:
        """Never below 0, and exactly the calls that have not ended."""
        pool = self.world.pool
        lanes = Counter(lease.lane.key.position for lease in self.leases)
        assert {lane.key.position: lane.in_flight for lane in pool.lanes if lane.in_flight} == lanes
        assert sum(project.in_flight for project in pool.projects) == len(self.leases)
        assert sum(slot.in_flight for slot in pool.instances.slots) == len(self.leases)
        assert all(project.usage >= 0 for project in pool.projects)

    @invariant()
    def one_probe_at_a_time(self) -> None:
        """At most one probe through each gate, each closed project and the model's breaker."""
        probes = Counter(
            (
                lease.probe,
                lease.lane if lease.probe is Probe.GATE else lease.project if lease.probe is Probe.QUOTA else 0,
            )
            for lease in self.leases
            if lease.probe is not Probe.NONE
        )
        assert all(count == 1 for count in probes.values())

    @invariant()
    def what_is_kept_at_hand_is_true(self) -> None:
        """The ready lanes of a project are a ring, and such a lane knows its only instance and its gate's version."""
        for project in self.world.pool.projects:
            ready = list(project.ready)
            assert {lane for lane in project.lanes if lane.after is not None} == set(ready)
            assert [lane.after for lane in ready] == [*ready[1:], *ready[:1]]
            for lane in ready:
                assert lane.slot is (lane.slots[0] if len(lane.slots) == 1 else None)
                assert lane.gate_version == lane.gate.version

    @invariant()
    def enough_keys_remain(self) -> None:
        """Never more than half of the keys that were not dead when it was decided are ejected."""
        pool, now = self.world.pool, self.world.now
        out = sum(lane.gate.state(now) is not GateState.LIVE for lane in pool.lanes)
        assert out <= len(pool.lanes) // 2

    @invariant()
    def figures_add_up(self) -> None:
        """The usage of all instances is the number of requests; active and error instances are the pool."""
        figures = model_stats(self.world.policy)[MODEL]
        assert sum(figures["usage_distribution"]) == figures["total_usage"] == self.requests
        assert key_stats(self.world.policy)["total_requests"] == self.requests
        assert figures["active_instances"] + figures["error_instances"] == figures["pool_size"]
        assert sum(figures["key_distribution"].values()) == figures["pool_size"]

    def teardown(self) -> None:
        """End what is left: nothing stays in flight."""
        if not hasattr(self, "world"):
            return
        for lease in self.leases:
            self.world.end(lease, CANCELLED)
        assert not any(lane.in_flight for lane in self.world.pool.lanes)


PolicyMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestPolicy = PolicyMachine.TestCase
