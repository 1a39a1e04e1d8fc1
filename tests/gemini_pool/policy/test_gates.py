"""The gate of a key for a model: when it opens, when it must not, and how a key comes back."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import CALLER, CANCELLED, FAULT, OK, TIMEOUT, World
from utils.gemini_pool.policy import Outcome, PoolConfig
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.selection import Probe


def test_three_faults_in_a_row_open_it(world: World):
    """Two do not, and an answer between them ends the run."""
    world.call_on(0, *[OK] * 20)
    world.call_on(0, FAULT, FAULT, OK, FAULT, FAULT)
    assert world.state(0) is GateState.LIVE
    world.call_on(0, FAULT)
    assert world.state(0) is GateState.OPEN


def test_two_timeouts_in_a_row_open_it(world: World):
    """A hanging key costs more than a failing one."""
    world.call_on(0, TIMEOUT)
    assert world.state(0) is GateState.LIVE
    world.call_on(0, TIMEOUT)
    assert world.state(0) is GateState.OPEN


def test_a_rate_above_a_fifth_opens_it(world: World):
    """Never three in a row, but too often."""
    for _ in range(12):
        world.call_on(0, FAULT, FAULT, OK)
    assert world.state(0) is GateState.OPEN


def test_a_key_as_bad_as_the_others_stays(world: World):
    """When all fail alike the trouble is not the key's: nobody is ejected."""
    for _ in range(4):
        for key in range(4):
            world.call_on(key, FAULT)
    assert {world.state(key) for key in range(4)} == {GateState.LIVE}
    often = World()
    for outcome in [FAULT, OK] * 8:
        for key in range(4):
            often.call_on(key, outcome)
    assert all(lane.rate.error(often.now) > 0.2 for lane in often.pool.lanes)
    assert {often.state(key) for key in range(4)} == {GateState.LIVE}


@pytest.mark.parametrize(("keys", "most"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (8, 4)])
def test_at_most_half_are_out(keys: int, most: int):
    """floor(n / 2) of the keys that are not dead; of one key none, of three one."""
    world = World(keys=keys, config=PoolConfig(peer_factor=0.0))
    for key in range(keys):
        world.call_on(key, *[FAULT] * 4)
    assert [world.state(key) for key in range(keys)].count(GateState.OPEN) == most
    assert world.try_begin() is not None


def test_an_open_gate_lets_nothing_through(world: World):
    """Not even a request that has tried all others."""
    world.eject(0)
    assert {world.call(OK, 1, 2, 3) for _ in range(10)} <= {1, 2, 3}


def test_half_open_lets_exactly_one_probe_through(world: World):
    """After its time one request finds out; all others go elsewhere until it has."""
    world.eject(0)
    world.pass_time(30.0)
    assert world.state(0) is GateState.HALF_OPEN
    probe = world.begin()
    assert (probe.probe, probe.lane.key.position) == (Probe.GATE, 0)
    assert {world.begin().lane.key.position for _ in range(12)} == {1, 2, 3}
    world.end(probe, OK)
    assert world.state(0) is GateState.LIVE
    assert world.lane(0).rate.calls(world.now) == 0.0


def test_a_request_without_time_rides_no_probe(world: World):
    """Who has tried before and has little time left is sent to a live key."""
    world.eject(0)
    world.pass_time(30.0)
    assert world.begin(may_probe=False).probe is Probe.NONE
    assert world.begin(1).probe is Probe.NONE


def test_a_failed_probe_doubles_the_time(world: World):
    """30, 60, 120 s and no more than that for a short illness, each up to 20 % shorter."""
    world.eject(0)
    gate = world.lane(0).gate
    for full in (30.0, 60.0, 120.0, 120.0):
        length = gate.open_until - world.now
        assert 0.8 * full <= length <= full
        world.pass_time(length)
        world.end(world.begin(), FAULT)
        assert world.state(0) is GateState.OPEN


def test_a_long_illness_is_asked_after_every_five_minutes(world: World):
    """The cap grows with the illness up to 300 s."""
    world.eject(0)
    gate = world.lane(0).gate
    for _ in range(40):
        world.pass_time(gate.open_until - world.now)
        world.end(world.begin(), FAULT)
    assert 240.0 <= gate.open_until - world.now <= 300.0


@pytest.mark.parametrize("outcome", [CALLER, CANCELLED])
def test_a_probe_that_told_nothing_is_followed_by_another(world: World, outcome: Outcome):
    """Caller's or cancelled: still half-open."""
    world.eject(0)
    world.pass_time(30.0)
    world.end(world.begin(), outcome)
    assert world.state(0) is GateState.HALF_OPEN
    assert world.begin().probe is Probe.GATE


def test_late_outcomes_open_nothing(world: World):
    """Faults of calls begun before a change of the gate count, but do not change it again."""
    late = [world.begin_on(0) for _ in range(6)]
    world.eject(0)
    until = world.lane(0).gate.open_until
    for lease in late[:3]:
        world.end(lease, FAULT)
    assert world.lane(0).gate.open_until == until
    world.pass_time(30.0)
    world.end(world.begin(), OK)
    for lease in late[3:]:
        world.end(lease, FAULT)
    assert world.state(0) is GateState.LIVE
    assert world.lane(0).counts.errors == 9


def test_ejections_are_forgotten_after_ten_healthy_minutes(world: World):
    """Sooner, the next ejection is longer; later, it starts at the shortest again."""
    for pause, count in ((60.0, 2), (600.0, 1)):
        world.eject(0)
        world.pass_time(world.lane(0).gate.open_until - world.now)
        world.end(world.begin(), OK)
        world.pass_time(pause)
        world.eject(0)
        assert world.lane(0).gate.ejections == count
        world.pass_time(world.lane(0).gate.open_until - world.now)
        world.end(world.begin(), OK)
        world.pass_time(600.0)


def test_a_healed_key_draws_no_flood(world: World):
    """It comes back at the mean usage of the others."""
    world.eject(0)
    for _ in range(90):
        world.call(OK, 0)
    world.pass_time(30.0)
    world.end(world.begin(), OK)
    taken = [world.call(OK) for _ in range(40)]
    assert taken.count(0) <= 14


def test_who_moves_on_goes_to_a_key_that_failed_nobody(world: World):
    """A key with a fault since its last answer may be the least used: it is for first attempts, not for second ones."""
    world.call_on(1, FAULT)
    for key in (0, 2, 3):
        world.call_on(key, OK, OK, OK)
    assert world.call(CANCELLED) == 1
    assert world.call(CANCELLED, 0) in {2, 3}
    world.call_on(2, FAULT)
    world.call_on(3, FAULT)
    assert world.call(CANCELLED, 0) == 1


def test_two_keys_that_overrun_one_question_are_forgiven(world: World):
    """It was the question that took long: both faults are taken back, an ejection too."""
    world.call_on(0, TIMEOUT)
    first, second = world.begin_on(0), world.begin_on(1)
    world.end(first, TIMEOUT)
    assert world.state(0) is GateState.OPEN
    world.end(second, TIMEOUT)
    world.policy.forgive(first, world.now)
    world.policy.forgive(second, world.now)
    assert world.state(0) is GateState.LIVE
    assert world.lane(1).gate.timeouts_in_row == 0
