"""The breaker of a model: 503 from everybody is no key's fault."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, FAULT, OK, OVERLOADED, World
from utils.gemini_pool.policy import Outcome
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.selection import Probe
from utils.gemini_pool.policy.waiting.slots import Obstacle


def overload(world: World, *keys: int) -> None:
    """Let these keys answer 503 one after another."""
    for key in keys:
        world.call_on(key, OVERLOADED)


@pytest.mark.parametrize(
    ("keys", "opens"), [((0, 1, 2, 0, 1), False), ((0, 1, 2, 0, 1, 2), True), ((0, 1, 0, 1, 0, 1), False)]
)
def test_six_in_a_row_over_three_keys_open_it(world: World, keys: tuple[int, ...], opens: bool):
    """Five do not; nor do six of two keys."""
    overload(world, *keys)
    assert world.pool.breaker.is_open is opens


@pytest.mark.parametrize("keys", [1, 2])
def test_fewer_keys_are_enough_where_there_are_fewer(keys: int):
    """With one or two live keys those must all have said it."""
    world = World(keys=keys)
    for number in range(6):
        world.call_on(number % keys, OVERLOADED)
    assert world.pool.breaker.is_open


def test_an_answer_between_ends_the_run(world: World):
    """The model is there."""
    overload(world, 0, 1, 2, 0, 1)
    world.call_on(3, OK)
    overload(world, 2)
    assert not world.pool.breaker.is_open


def test_the_faults_of_the_run_are_taken_back(world: World):
    """The keys were not ill: their records are clean, their gates live."""
    overload(world, 0, 0, 0, 1, 1)
    assert world.state(0) is GateState.OPEN
    overload(world, 2)
    assert world.pool.breaker.is_open
    for key in range(4):
        assert world.state(key) is GateState.LIVE
        assert world.lane(key).rate.faults(world.now) == 0.0
        assert world.lane(key).gate.faults_in_row == 0


def test_single_probes_double_up_to_the_cap(world: World):
    """2, 4, 8, then 9.5 s apart; between them nothing passes."""
    overload(world, 0, 1, 2, 0, 1, 2)
    for wait in (2.0, 4.0, 8.0, 9.5, 9.5):
        world.pass_time(wait - 0.01)
        assert world.try_begin() is None
        slot = world.policy.next_slot("m", world.now)
        assert slot.obstacle is Obstacle.OVERLOADED
        assert slot.at == pytest.approx(world.now + 0.01)
        world.pass_time(0.01)
        probe = world.begin()
        assert probe.probe is Probe.MODEL
        assert world.try_begin() is None
        world.end(probe, OVERLOADED)


def test_an_answer_closes_it(world: World):
    """After the first success everything passes again."""
    overload(world, 0, 1, 2, 0, 1, 2)
    world.pass_time(2.0)
    world.end(world.begin(), OK)
    assert not world.pool.breaker.is_open
    assert all(world.try_begin() for _ in range(10))


@pytest.mark.parametrize("outcome", [CANCELLED])
def test_a_probe_that_told_nothing_may_be_repeated_at_once(world: World, outcome: Outcome):
    """Cancelled: the next one goes without a longer wait."""
    overload(world, 0, 1, 2, 0, 1, 2)
    world.pass_time(2.0)
    world.end(world.begin(), outcome)
    assert world.begin().probe is Probe.MODEL


def test_one_overloaded_key_is_that_keys_matter(world: World):
    """While the others answer, 503 counts like any fault of the key."""
    for _ in range(3):
        world.call_on(1, OK)
    world.call_on(0, OVERLOADED, OVERLOADED, OVERLOADED)
    assert world.state(0) is GateState.OPEN
    assert not world.pool.breaker.is_open
    world.call_on(1, FAULT)
    assert world.state(1) is GateState.LIVE


def test_what_was_under_way_when_it_opened_counts_against_no_key(world: World):
    """Eighty calls of four keys, all answered 503: the first six open it, and nothing is held against the keys."""
    leases = [world.begin() for _ in range(80)]
    for lease in leases:
        world.end(lease, OVERLOADED)
    world.pass_time(2.0)
    world.end(world.begin(), OK)
    for lane in world.pool.lanes:
        assert (lane.rate.faults(world.now), lane.gate.faults_in_row) == (0.0, 0)


def test_a_long_outage_leaves_every_key_sound(world: World):
    """Its probes were answered 503 by the model, whichever key they went to."""
    overload(world, 0, 1, 2, 0, 1, 2)
    for _ in range(12):
        world.pass_time(9.5)
        world.end(world.begin(), OVERLOADED)
    world.pass_time(9.5)
    world.end(world.begin(), OK)
    assert [lane.rate.error(world.now) for lane in world.pool.lanes] == [0.0] * 4
    assert world.pool.health.total.faults(world.now) == 0.0


def test_a_probe_of_a_gate_that_meets_the_outage_is_made_again(world: World):
    """It told of the model, not of the key: the gate is asked after again once the model answers."""
    world.eject(3)
    world.pass_time(30.0)
    probe = world.begin()
    assert (probe.probe, probe.lane.key.position) == (Probe.GATE, 3)
    overload(world, 0, 1, 2, 0, 1, 2)
    world.end(probe, OVERLOADED)
    assert world.lane(3).gate.ejections == 1
    world.pass_time(2.0)
    world.end(world.begin(), OK)
    again = world.begin()
    assert (again.probe, again.lane.key.position) == (Probe.GATE, 3)
