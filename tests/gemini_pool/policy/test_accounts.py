"""What a call leaves behind: usage while in flight, nothing in flight afterwards, faults only where there was one."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import (
    CALLER,
    CANCELLED,
    DEAD,
    FAULT,
    NO_QUOTA,
    OK,
    OVERLOADED,
    TIMEOUT,
    World,
    quota,
)
from utils.gemini_pool.policy import Kind, Outcome
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.selection import Probe


def test_calls_in_flight_are_in_the_usage(world: World) -> None:
    """A key asked more often gets its next call when the others have caught up, not when they have answered."""
    world.call_on(0, OK, OK, OK, OK)
    taken = [world.begin().lane.key.position for _ in range(16)]
    assert [taken.count(key) for key in range(4)] == [1, 5, 5, 5]


@pytest.mark.parametrize(
    "outcome",
    [OK, FAULT, TIMEOUT, OVERLOADED, DEAD, CALLER, CANCELLED, NO_QUOTA, quota(), Outcome(Kind.OK, requests=0)],
    ids=lambda outcome: outcome.kind.value,
)
def test_nothing_stays_in_flight(world: World, outcome: Outcome) -> None:
    """However a call ended, its key, its project and its instance have none under way."""
    lease = world.begin()
    world.end(lease, outcome)
    assert (lease.lane.in_flight, lease.project.in_flight, lease.slot.in_flight) == (0, 0, 0)


def test_a_cancelled_call_gives_its_usage_back(world: World) -> None:
    """Who leaves has used nothing: the key is as little used as before."""
    lease = world.begin()
    world.end(lease, CANCELLED)
    assert world.pool.usage(lease.project, world.now) == 1.0
    assert world.pool.standing.total == 0.0


@pytest.mark.parametrize("outcome", [quota(1.0), CALLER, CANCELLED, NO_QUOTA], ids=lambda outcome: outcome.kind.value)
def test_what_is_no_fault_of_the_key_leaves_no_fault(world: World, outcome: Outcome) -> None:
    """Ten of them in a row: no error, no ejection, no run of faults."""
    for _ in range(10):
        lease = world.try_begin(1, 2, 3)
        if lease is not None:
            world.end(lease, outcome)
        world.pass_time(2.0)
    for key in range(4):
        assert world.state(key) is GateState.LIVE
        assert world.lane(key).rate.error(world.now) == 0.0
        assert world.lane(key).gate.faults_in_row == 0


def test_one_probe_goes_through_a_half_open_gate_at_a_time(world: World) -> None:
    """While it is under way everybody else takes another key; when it told nothing the next one may go."""
    world.eject(0)
    world.pass_time(31.0)
    probe = world.begin()
    assert (probe.probe, probe.lane.key.position) == (Probe.GATE, 0)
    others = [world.begin() for _ in range(8)]
    assert {lease.lane.key.position for lease in others} == {1, 2, 3}
    assert not world.lane(0).gate.wants_probe(world.now)
    world.end(probe, CANCELLED)
    assert world.begin().lane.key.position == 0
