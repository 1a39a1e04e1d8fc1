"""What outcomes do to the health of keys: whose errors count against whom, and what is taken back."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import DEAD, FAULT, OK, OVERLOADED, TIMEOUT, World
from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.selection import Probe


def share(world: World) -> tuple[float, float]:
    """Calls and faults of all keys together, now."""
    total = world.pool.health.total
    return total.calls(world.now), total.faults(world.now)


def test_the_counts_of_all_keys_are_the_sum_of_theirs() -> None:
    """Good calls and faults, at one time."""
    world = World()
    world.call_on(0, OK, FAULT)
    world.call_on(1, OK, OK)
    world.call_on(2, FAULT)
    assert share(world) == pytest.approx((5.0, 2.0))
    lanes = world.pool.lanes
    assert [lane.rate.calls(world.now) for lane in lanes] == pytest.approx([2.0, 2.0, 1.0, 0.0])
    assert [lane.rate.faults(world.now) for lane in lanes] == pytest.approx([1.0, 0.0, 1.0, 0.0])


def test_an_answer_after_a_fault_counts_as_a_good_call() -> None:
    """A key with a fault in its record answers: the call is counted, the run of faults ends, the fault stays."""
    world = World()
    world.call_on(0, FAULT, FAULT, OK)
    lane = world.lane(0)
    assert lane.gate.faults_in_row == 0
    assert (lane.rate.calls(world.now), lane.rate.faults(world.now)) == pytest.approx((3.0, 2.0))
    assert lane.troubled


def test_a_faded_fault_is_forgotten_with_the_next_answer() -> None:
    """Below a thousandth of a call it is gone from the key and the sum, and the key is sound; before it is not."""
    world = World()
    world.call_on(0, FAULT)
    world.call_on(1, FAULT)
    lane = world.lane(0)
    world.pass_time(60.0 * 9.9)
    world.call_on(0, OK)
    before = (lane.troubled, lane.rate.raw_faults > 0.0)
    world.pass_time(60.0 * 0.1)
    world.call_on(0, OK)
    assert [before, (lane.troubled, lane.rate.raw_faults > 0.0)] == [(True, True), (False, False)]
    # what is left in the sum is the other key's, and no call is lost from it
    total = world.pool.health.total
    assert total.raw_faults == pytest.approx(world.lane(1).rate.raw_faults)
    assert total.raw_calls == pytest.approx(sum(one.rate.raw_calls for one in world.pool.lanes))


def test_a_key_is_ejected_from_twice_the_error_of_the_others_on() -> None:
    """Peers with errors of their own protect a key that is little worse than they are."""
    world = World()
    world.call_on(0, FAULT, FAULT)
    for key in (1, 2, 3):
        world.call_on(key, FAULT, OK, OK, OK, OK, OK, OK)
    # third fault: own error 3/8, the others' 3/26, so more than twice as bad
    world.call_on(0, FAULT)
    assert world.state(0) is GateState.OPEN
    alike = World()
    alike.call_on(0, FAULT, FAULT)
    for key in (1, 2, 3):
        alike.call_on(key, FAULT, OK, FAULT, OK)
    # the others' 6/17 is nearly as much
    alike.call_on(0, FAULT)
    assert alike.state(0) is GateState.LIVE


@pytest.mark.parametrize("after_s", [0.0, 120.0])
@pytest.mark.parametrize(("factor", "ejected"), [(3.375, True), (3.376, False)])
def test_the_bound_is_the_factor_itself(factor: float, ejected: bool, after_s: float) -> None:
    """Own: 3 faults of 3 calls and the prior, 3/8; the others: one of 4 and the prior, 1/9; that is 3.375 times.

    Also two half-lives after the counts began, when a call weighs four times as much.
    """
    world = World(config=PoolConfig(peer_factor=factor))
    assert world.pool.health.alive == 4
    world.pass_time(after_s)
    world.call_on(1, FAULT, OK, OK, OK)
    world.call_on(0, FAULT, FAULT, FAULT)
    assert (world.state(0) is GateState.OPEN) is ejected


def test_peers_without_a_prior_and_without_calls_protect_nobody() -> None:
    """With nothing known of the others their error is 0."""
    world = World(config=PoolConfig(error_prior=0.0))
    world.call_on(0, FAULT, FAULT, FAULT)
    assert world.state(0) is GateState.OPEN


def test_a_single_failed_call_of_the_others_protects_where_nothing_is_imagined() -> None:
    """All of their calls failed as well, so this key is not twice as bad."""
    world = World(config=PoolConfig(error_prior=0.0))
    world.call_on(1, FAULT)
    world.call_on(0, FAULT, FAULT, FAULT)
    assert world.state(0) is GateState.LIVE


def test_dead_keys_do_not_count_among_the_ejected() -> None:
    """Of five keys two may be out; of the four that live after one of those died, two others."""
    world = World(keys=5, config=PoolConfig(peer_factor=0.0))
    under_way = world.begin_on(0)
    for key in (0, 1, 2):
        world.call_on(key, FAULT, FAULT, FAULT)
    assert [world.state(key) for key in (0, 1, 2)] == [GateState.OPEN, GateState.OPEN, GateState.LIVE]
    world.end(under_way, DEAD)
    world.call_on(2, FAULT)
    world.call_on(3, FAULT, FAULT, FAULT)
    assert [world.state(key) for key in (1, 2, 3)] == [GateState.OPEN, GateState.OPEN, GateState.LIVE]


def test_a_probe_that_fails_opens_again_whatever_the_others_do() -> None:
    """A failed probe is no new ejection: no peer, no cap speaks against it."""
    world = World(keys=2)
    world.eject(0)
    world.pass_time(30.0)
    probe = world.begin()
    assert probe.probe is Probe.GATE
    world.call_on(1, FAULT, FAULT)
    world.end(probe, FAULT)
    assert world.state(0) is GateState.OPEN
    assert world.lane(0).gate.ejections == 2


def test_a_healed_key_starts_with_an_empty_record() -> None:
    """Its calls and faults leave the sum of all keys as well, and nothing is held against it."""
    world = World()
    world.call_on(1, OK, OK)
    world.eject(0)
    world.pass_time(30.0)
    world.call(OK)
    lane = world.lane(0)
    assert (lane.rate.raw_calls, lane.rate.raw_faults, lane.troubled) == (0.0, 0.0, False)
    assert share(world)[1] == pytest.approx(0.0, abs=1e-9)
    assert world.pool.health.ejected == set()


def test_an_overload_run_is_taken_back_from_ejected_keys_only_once() -> None:
    """A gate that the run had opened is closed; one that was open before the run stays open."""
    world = World(keys=5)
    world.eject(4)
    for key in (0, 1, 2, 0, 1, 2):
        world.call_on(key, OVERLOADED)
    assert world.pool.breaker.is_open
    assert [world.state(key) for key in range(4)] == [GateState.LIVE] * 4
    assert world.state(4) is GateState.OPEN
    assert [world.lane(key).rate.raw_faults for key in range(4)] == [0.0] * 4
    assert share(world) == pytest.approx((3.0, 3.0))


def test_an_answer_keeps_the_faults_before_it() -> None:
    """Only the 503 since the last answer belong to the run that is taken back."""
    world = World()
    world.call_on(0, OVERLOADED)
    world.call_on(3, FAULT, OK)
    for key in (0, 1, 2, 0, 1, 2):
        world.call_on(key, OVERLOADED)
    assert world.pool.breaker.is_open
    assert world.lane(0).rate.faults(world.now) == pytest.approx(1.0)
    assert world.lane(1).rate.faults(world.now) == 0.0


def test_keys_ejected_for_other_faults_are_not_waited_for() -> None:
    """Of four keys two are out: 503 of the two that are left are enough."""
    world = World(config=PoolConfig(peer_factor=0.0))
    world.eject(2)
    world.eject(3)
    for key in (0, 1, 0, 1, 0, 1):
        world.call_on(key, OVERLOADED)
    assert world.pool.breaker.is_open


def test_forgiving_opens_a_gate_that_the_fault_had_closed() -> None:
    """The question took long, not the key: its run and its ejection are taken back, the call with the fault."""
    world = World()
    world.call_on(0, TIMEOUT)
    lease = world.begin_on(0)
    world.end(lease, TIMEOUT)
    assert world.state(0) is GateState.OPEN
    assert world.pool.health.forgive(lease, world.now) is True
    assert world.state(0) is GateState.LIVE
    assert world.lane(0).rate.faults(world.now) == pytest.approx(1.0)
    assert world.lane(0).rate.calls(world.now) == pytest.approx(1.0)


def test_forgiving_a_live_key_ends_its_run() -> None:
    """Nothing was opened, so nothing is closed."""
    world = World()
    lease = world.begin_on(0)
    world.end(lease, TIMEOUT)
    assert world.pool.health.forgive(lease, world.now) is False
    assert world.lane(0).gate.timeouts_in_row == 0
    assert share(world) == (0.0, 0.0)


def test_forgiving_late_changes_no_gate() -> None:
    """When the gate has turned more than once since, it stands by what came after."""
    world = World()
    world.call_on(0, TIMEOUT)
    lease = world.begin_on(0)
    world.end(lease, TIMEOUT)
    world.pass_time(30.0)
    assert world.state(0) is GateState.HALF_OPEN
    assert world.pool.health.forgive(lease, world.now) is False
    assert world.state(0) is GateState.HALF_OPEN


def test_the_counts_stand_when_their_scale_starts_anew() -> None:
    """Seven hours on the unit is made small again; what is counted then compares with what was counted before."""
    world = World()
    assert world.pool.health.scale.unit(world.now) == 1.0
    world.pass_time(60.0 * 399.5)
    world.call_on(0, FAULT, OK)
    world.pass_time(61.0)
    world.call_on(1, OK)
    calls, faults = world.lane(0).rate.calls(world.now), world.lane(0).rate.faults(world.now)
    assert (calls, faults) == pytest.approx((2.0 ** (-61 / 60) * 2, 2.0 ** (-61 / 60)))
    assert share(world) == pytest.approx((calls + 1.0, faults))
    assert world.lane(0).rate.raw_calls < 1.0


def test_a_fault_before_the_forgiven_one_still_counts() -> None:
    """The key serves again, and is not sound yet."""
    world = World()
    world.call_on(0, TIMEOUT)
    lease = world.begin_on(0)
    world.end(lease, TIMEOUT)
    world.pool.forgive(lease, world.now)
    assert world.lane(0).troubled
    world.call_on(0, OK)
    assert world.lane(0).rate.faults(world.now) == pytest.approx(1.0)


def test_a_dead_key_that_was_ejected_is_waited_for_by_nobody() -> None:
    """It neither lives nor fails: of the three that live all must have said 503, ejected within the run or not."""
    world = World(config=PoolConfig(peer_factor=0.0))
    under_way = world.begin_on(3)
    world.eject(3)
    world.end(under_way, DEAD)
    for key in (0, 1, 0, 1, 0, 1):
        world.call_on(key, OVERLOADED)
    assert [world.state(key) for key in (0, 1, 2)] == [GateState.OPEN, GateState.LIVE, GateState.LIVE]
    assert not world.pool.breaker.is_open
    world.call_on(2, OVERLOADED)
    assert world.pool.breaker.is_open


def test_a_gate_that_was_open_before_the_run_stays_open() -> None:
    """A call that was under way answers 503 with the others; the key had been ejected for faults of its own."""
    world = World(keys=5)
    under_way = world.begin_on(0)
    world.eject(0)
    for key in (1, 2, 1, 2, 1):
        world.call_on(key, OVERLOADED)
    world.end(under_way, OVERLOADED)
    assert world.pool.breaker.is_open
    assert world.state(0) is GateState.OPEN
    assert world.lane(0).gate.version == 1


def test_a_key_that_the_run_had_ejected_serves_again_after_it() -> None:
    """Its gate was opened by the run and is closed once, with the run; it is asked again when the model answers."""
    world = World()
    for key in (0, 0, 0, 1, 2, 1):
        world.call_on(key, OVERLOADED)
    assert world.pool.breaker.is_open
    assert world.lane(0).gate.version == 2
    world.pass_time(2.0)
    world.end(world.begin(), OK)
    assert {world.call(OK) for _ in range(8)} == {0, 1, 2, 3}


def test_a_key_that_left_takes_its_record_with_it() -> None:
    """It is not among the ejected any more, and its faults protect nobody."""
    world = World()
    world.eject(3)
    world.call_on(0, OK, FAULT)
    world.policy.reload_keys([key.spec for key in world.policy.keys[:3]])
    assert world.pool.health.ejected == set()
    assert share(world) == pytest.approx((2.0, 1.0))
