"""Keys taken in and out while calls run: what is known of those that stay stays, whatever happens around it."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, OK, World, quota
from tests.gemini_pool.policy.test_state_machine import OUTCOMES
from utils.gemini_pool.policy import KeySpec, Outcome
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.statistics import key_stats, model_stats


def specs(*numbers: int, projects: dict[int, str] | None = None) -> list[KeySpec]:
    return [KeySpec(f"f{number}", None, (projects or {}).get(number)) for number in numbers]


def test_what_is_known_of_a_key_that_stays_stays(world: World):
    """An ejected, a closed and a dead key are so after a change, under their new labels; counts stay too."""
    world.eject(1)
    world.call_on(2, quota(300.0, Window.DAY))
    world.call_on(3, DEAD)
    counted = {lane.key.fingerprint: lane.counts.requests for lane in world.pool.lanes}
    world.policy.reload_keys(specs(3, 2, 1, 7))
    lanes = {lane.key.fingerprint: lane for lane in world.pool.lanes}
    assert [lane.key.label for lane in world.pool.lanes] == ["Key #1", "Key #2", "Key #3", "Key #4"]
    assert lanes["f1"].gate.state(world.now) is GateState.OPEN
    assert lanes["f2"].project.quota.is_closed(world.now)
    assert lanes["f3"].key.dead is not None
    assert all(lanes[name].counts.requests == counted[name] for name in ("f1", "f2", "f3"))
    assert {world.call(OK) for _ in range(4)} == {3}


def test_a_new_key_joins_at_the_mean_usage_of_the_others(world: World):
    """It takes its share, not all that comes."""
    for _ in range(40):
        world.call(OK)
    world.policy.reload_keys(specs(0, 1, 2, 3, 4))
    taken = [world.call(OK) for _ in range(50)]
    assert 8 <= taken.count(4) <= 12


def test_calls_under_way_with_a_key_that_left_end_as_they_would(world: World):
    """Its answers and faults are counted for it, act on nobody else, and nothing stays in flight."""
    leases = [world.begin_on(0), world.begin_on(0), world.begin_on(1)]
    world.policy.reload_keys(specs(1, 2, 3))
    assert all(world.call(OK) in {0, 1, 2} for _ in range(6))
    for lease, outcome in zip(leases, (DEAD, FAULT, OK), strict=True):
        world.end(lease, outcome)
    assert all(lane.key.dead is None for lane in world.pool.lanes)
    assert not any(lane.in_flight for lane in world.pool.lanes)
    assert leases[0].lane.in_flight == 0


def test_a_key_that_comes_back_is_new(world: World):
    """It gets another try, with the counts it had."""
    world.call_on(0, DEAD)
    world.policy.reload_keys(specs(1, 2, 3))
    world.policy.reload_keys(specs(0, 1, 2, 3))
    assert world.lane(0).key.dead is None
    assert world.lane(0).counts.requests == 1


def test_all_keys_may_leave_and_come_again(world: World):
    """Without a key nothing is chosen."""
    lease = world.begin()
    world.policy.reload_keys([])
    assert world.try_begin() is None
    world.end(lease, OK)
    world.policy.reload_keys(specs(0, 1))
    assert world.call(OK) in {0, 1}


class ReloadMachine(RuleBasedStateMachine):
    """Begins and ends calls in any order while keys come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.leases: list[Lease] = []

    @initialize(per_project=st.integers(1, 3), pool_size=st.sampled_from([None, 2, 7]), seed=st.integers(0, 5))
    def open(self, per_project: int, pool_size: int | None, seed: int) -> None:
        """Make the world."""
        self.projects = {number: f"p{number // per_project}" for number in range(8)}
        self.world = World(keys=4, projects=self.projects, pool_size=pool_size, seed=seed)

    @rule(tried=st.frozensets(st.integers(0, 5), max_size=3), may_probe=st.booleans())
    def begin(self, tried: frozenset[int], may_probe: bool) -> None:
        """Begin a call; whoever serves is configured now."""
        lease = self.world.try_begin(*tried, may_probe=may_probe)
        if lease is not None:
            self.leases.append(lease)
            assert lease.lane in self.world.pool.lanes
            assert lease.lane.key in self.world.policy.keys

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES))
    def end(self, data: st.DataObject, outcome: Outcome) -> None:
        """End any call under way."""
        self.world.end(self.leases.pop(data.draw(st.integers(0, len(self.leases) - 1))), outcome)

    @rule(seconds=st.sampled_from([0.5, 31.0, 61.0, 301.0, 3601.0]))
    def pass_time(self, seconds: float) -> None:
        """Let time go by and rotate as the dispatcher does."""
        self.world.pass_time(seconds)
        self.world.policy.rotate_if_due()

    @rule(numbers=st.lists(st.integers(0, 7), unique=True, min_size=1, max_size=8))
    def reload(self, numbers: list[int]) -> None:
        """Configure other keys: who stays is as before."""
        world = self.world
        former = {lane.key.fingerprint: lane for lane in world.pool.lanes}
        before = {
            name: (lane.gate, lane.rate.raw_calls, lane.counts.requests, lane.project.quota, lane.key.dead)
            for name, lane in former.items()
        }
        world.policy.reload_keys(specs(*numbers, projects=self.projects))
        assert [lane.key.fingerprint for lane in world.pool.lanes] == [f"f{number}" for number in numbers]
        for lane in world.pool.lanes:
            known = former.get(lane.key.fingerprint)
            if known is not None and known.key.project == lane.key.project:
                after = (lane.gate, lane.rate.raw_calls, lane.counts.requests, lane.project.quota, lane.key.dead)
                assert after == before[lane.key.fingerprint]

    @invariant()
    def in_flight_is_what_is_under_way(self) -> None:
        """Never below 0, and for those that are configured exactly the calls that have not ended."""
        pool = self.world.pool
        for lane in pool.lanes:
            assert lane.in_flight == sum(lease.lane is lane for lease in self.leases)
        for project in pool.projects:
            assert project.in_flight == sum(lease.project is project for lease in self.leases)
            assert project.usage >= 0
            assert project.lanes
        assert all(slot.in_flight >= 0 for slot in pool.instances.slots)

    @invariant()
    def figures_add_up(self) -> None:
        """The usage of all instances is the number of requests; every instance is a configured key's."""
        pool = self.world.pool
        figures = model_stats(self.world.policy)[MODEL]
        assert sum(figures["usage_distribution"]) == key_stats(self.world.policy)["total_requests"]
        assert figures["active_instances"] + figures["error_instances"] == figures["pool_size"]
        assert sum(figures["key_distribution"].values()) == figures["pool_size"]
        assert pool.standing.closed == sum(project.closed_at is not None for project in pool.projects)
        assert pool.health.alive == sum(key.dead is None for key in self.world.policy.keys)

    def teardown(self) -> None:
        """End what is left: nothing stays in flight."""
        if not hasattr(self, "world"):
            return
        for lease in self.leases:
            self.world.end(lease, CANCELLED)
        assert not any(lane.in_flight for lane in self.world.pool.lanes)
        assert not any(project.quota.probing for project in self.world.pool.projects)
        assert not self.world.pool.breaker.probing


ReloadMachine.TestCase.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestReloading = ReloadMachine.TestCase
