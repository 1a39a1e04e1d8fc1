"""Instances: round-robin at the start, moved every five minutes, drafted when nobody else can serve."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from tests.gemini_pool.policy.conftest import DEAD, FAULT, MODEL, OK, World, quota
from utils.gemini_pool.policy import Outcome, PoolConfig
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.statistics import model_stats


def instances(world: World) -> Counter[int]:
    """How many instances each key has."""
    return Counter(slot.key for slot in world.pool.instances.slots)


def rotate(world: World) -> list[str]:
    """Let five minutes go by and rotate; answers the labels of the unhealthy."""
    world.pass_time(300.0)
    return [report.label for report in world.policy.rotate_if_due() if not report.healthy]


def test_nothing_rotates_before_its_time(world: World):
    """Every 300 seconds, at least that far apart."""
    world.call(OK)
    world.pass_time(299.9)
    assert world.policy.rotate_if_due() == []
    assert world.policy.next_event_at() == pytest.approx(world.now + 0.1)
    world.pass_time(0.1)
    assert len(world.policy.rotate_if_due()) == 4
    assert world.policy.rotate_if_due() == []


def test_instances_of_a_dead_key_move_to_the_healthiest():
    """None is lost; they are spread over the healthy."""
    world = World(keys=3, pool_size=6)
    world.call_on(0, DEAD)
    assert rotate(world) == ["Key #1"]
    assert instances(world) == {1: 3, 2: 3}


def test_an_ejected_and_a_faulty_key_are_unhealthy():
    """Not live, or above 20 % errors."""
    world = World(keys=4, pool_size=8)
    world.eject(0)
    world.lane(0).gate.open_until = world.now + 1000.0
    world.pass_time(299.0)
    for outcome in [FAULT, OK] * 6:
        world.pass_time(0.01)
        if world.state(1) is GateState.LIVE:
            world.call_on(1, outcome)
    world.pass_time(0.88)
    reports = {report.label: report for report in world.policy.rotate_if_due()}
    assert {label for label, report in reports.items() if not report.healthy} == {"Key #1", "Key #2"}
    assert instances(world) == {2: 4, 3: 4}


def test_a_key_that_drew_most_of_all_requests_is_unhealthy():
    """More than half of everything, where there are enough keys for that to mean something."""
    world = World(keys=4, pool_size=4)
    world.pass_time(299.0)
    world.call_on(0, *[OK] * 30)
    world.pass_time(1.0)
    assert [report.label for report in world.policy.rotate_if_due() if not report.healthy] == ["Key #1"]
    lone = World(keys=1)
    lone.pass_time(299.0)
    lone.call_on(0, *[OK] * 30)
    lone.pass_time(1.0)
    assert all(report.healthy for report in lone.policy.rotate_if_due())


def test_a_healthy_key_gets_an_instance_back():
    """After its illness a key that has none gets one from the richest."""
    world = World(keys=3, pool_size=6)
    world.eject(0)
    world.lane(0).gate.open_until = world.now + 400.0
    rotate(world)
    assert instances(world)[0] == 0
    world.pass_time(100.0)
    world.end(world.begin(), OK)
    assert instances(world)[0] == 1
    rotate(world)
    assert instances(world)[0] >= 1
    assert instances(world).total() == 6


def test_nothing_moves_when_no_key_is_healthy():
    """There is nowhere to move to."""
    world = World(keys=2, pool_size=4)
    world.call_on(0, DEAD)
    world.call_on(1, DEAD)
    before = instances(world)
    assert rotate(world) == ["Key #1", "Key #2"]
    assert instances(world) == before


def test_spares_are_drafted_when_no_mapped_key_can_serve():
    """With two instances over four keys two are spares; a wall of the mapped ones brings them in."""
    world = World(keys=4, pool_size=2)
    assert {world.call(OK) for _ in range(6)} == {0, 1}
    world.call_on(0, quota(60.0))
    world.call_on(1, quota(60.0))
    assert world.call(OK) in {2, 3}
    assert instances(world).total() == 2


def test_usage_of_a_spare_survives_a_reset():
    """The usage of all instances is the number of requests, also where a used key has none."""
    world = World(keys=4, pool_size=2)
    world.call(OK)
    world.call_on(0, quota(60.0))
    world.call_on(1, quota(60.0))
    world.call(OK)
    world.policy.reset_pools([key.spec for key in world.policy.keys])
    figures = model_stats(world.policy)[MODEL]
    assert figures["total_usage"] == sum(lane.counts.requests for lane in world.pool.lanes) > 3


def held(world: World, key: int) -> list[int]:
    """Give the indices of the instances of a key."""
    return [slot.index for slot in world.lane(key).slots]


def test_healthy_keys_keep_their_instances_and_the_best_get_those_of_the_dead():
    """Fewest instances first, of equally many the better score: key 2 was used, so both of the dead go to key 3."""
    world = World(PoolConfig(usage_half_life_s=math.inf), keys=3, pool_size=5)
    world.call_on(0, DEAD)
    world.call_on(1, *[OK] * 4)
    world.call_on(2, *[OK] * 3)
    assert rotate(world) == ["Key #1"]
    assert (held(world, 1), held(world, 2)) == ([1, 4], [2, 0, 3])


def test_of_equally_many_the_better_key_gets_the_odd_one():
    """Whatever their positions; the others get theirs in turn."""
    for better in (1, 2):
        world = World(PoolConfig(usage_half_life_s=math.inf), keys=3, pool_size=3)
        world.call_on(0, DEAD)
        for key in (1, 2):
            world.call_on(key, *[OK] * (3 if key == better else 4))
        rotate(world)
        assert len(world.lane(better).slots) == 2


def test_who_has_fewer_comes_first_whatever_its_score():
    """Key 2 has been asked more than key 3, which has two instances to its one."""
    world = World(PoolConfig(usage_half_life_s=math.inf), keys=4, pool_size=7)
    world.call_on(0, DEAD)
    world.call_on(1, *[OK] * 3)
    world.call_on(2, *[OK] * 3)
    world.call_on(3, *[OK] * 4)
    rotate(world)
    assert [len(world.lane(key).slots) for key in (1, 2, 3)] == [3, 2, 2]
    assert held(world, 3) == [3, 0]


@pytest.mark.parametrize(("calls", "healthy"), [((FAULT, FAULT), False), ((FAULT, OK, FAULT, OK, OK), True)])
def test_a_key_is_healthy_up_to_an_error_of_a_fifth(calls: tuple[Outcome, ...], healthy: bool):
    """Two faults of two calls and five imagined good ones are more; two of five are just that."""
    world = World(PoolConfig(error_half_life_s=math.inf), keys=4)
    world.call_on(0, *calls)
    assert world.state(0) is GateState.LIVE
    assert rotate(world) == ([] if healthy else ["Key #1"])


def test_who_is_healthy_again_gets_an_instance_at_the_next_rotation():
    """From who has most. Without one it was nobody's first choice; now it serves again."""
    world = World(keys=3, pool_size=6)
    world.pass_time(299.0)
    world.call_on(0, FAULT, FAULT)
    world.pass_time(1.0)
    assert [report.healthy for report in world.policy.rotate_if_due()] == [False, True, True]
    assert world.state(0) is GateState.LIVE
    assert [len(world.lane(key).slots) for key in range(3)] == [0, 3, 3]
    assert 0 not in {world.call(OK) for _ in range(24)}
    assert rotate(world) == []
    assert [len(world.lane(key).slots) for key in range(3)] == [1, 2, 3]
    assert 0 in {world.call(OK) for _ in range(8)}


def test_a_revived_key_gets_an_instance_at_once():
    """It lost its own to the others when it was dead."""
    world = World(keys=3, pool_size=6)
    world.call_on(0, DEAD)
    rotate(world)
    assert held(world, 0) == []
    assert world.policy.revive("f0")
    assert len(held(world, 0)) == 1
    assert 0 in {world.call(OK) for _ in range(8)}
