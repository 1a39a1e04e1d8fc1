"""The score, the decay behind it, and whom it chooses."""

from __future__ import annotations

import math
import random

import pytest

from tests.gemini_pool.policy.conftest import CALLER, CANCELLED, FAULT, MODEL, OK, World
from utils.gemini_pool.policy import Kind, Outcome, PoolConfig
from utils.gemini_pool.policy.score import DecayedRate, Scale, score


def busy(world: World) -> list[int]:
    """Which keys' projects are marked as busy."""
    standing = world.pool.standing
    return [lane.key.position for lane in world.pool.lanes if standing.is_busy(lane.project, world.now)]


@pytest.mark.parametrize(("usage", "error", "expected"), [(1, 0, 1.0), (2, 0, 0.5), (1, 0.5, 0.5), (4, 0.25, 0.1875)])
def test_the_formula(usage: float, error: float, expected: float):
    """(1 / usage) x (1 - error rate)."""
    assert score(usage, error) == expected


def test_the_unit_doubles_every_half_life():
    """A count of one half-life ago weighs half of one now."""
    scale = Scale(300.0, 1000.0)
    assert scale.unit(1300.0) / scale.unit(1000.0) == 2.0
    assert scale.unit(1e9) < math.inf
    assert Scale(math.inf, 0.0).unit(1e12) == 1.0


def test_the_scale_is_renormalised_before_it_overflows(world: World):
    """After months the order of usages is what it was, and every figure is finite."""
    for _ in range(3):
        world.call(OK)
    before = [world.pool.usage(project, world.now) for project in world.pool.projects]
    for _ in range(40):
        world.pass_time(300.0 * 300)
        world.call(OK)
        usages = [world.pool.usage(project, world.now) for project in world.pool.projects]
        assert all(math.isfinite(usage) and usage >= 1 for usage in usages)
        assert sum(usages) == pytest.approx(5.0)
    assert before == [2.0, 2.0, 2.0, 1.0]


def test_the_error_rate_starts_with_a_prior_and_decays():
    """One first failure is 1/6, not 1; it halves with its calls, so it is forgotten against the prior."""
    rate = DecayedRate(Scale(60.0, 0.0), 5.0)
    assert rate.error(0.0) == 0.0
    rate.add(faulty=True, now=0.0)
    assert rate.error(0.0) == pytest.approx(1 / 6)
    assert rate.error(60.0) == pytest.approx(0.5 / 5.5)
    rate.take_back_fault(60.0)
    assert (rate.calls(60.0), rate.faults(60.0)) == (0.0, 0.0)
    rate.add(faulty=False, now=50.0)
    assert rate.calls(60.0) == pytest.approx(0.5 ** (10 / 60))


def test_questions_are_spread_evenly(world: World):
    """Keys of equal health get equal shares, one after another and at once."""
    assert sorted(world.call(OK) for _ in range(8)) == [0, 0, 1, 1, 2, 2, 3, 3]
    leases = [world.begin() for _ in range(60)]
    assert {lane.in_flight for lane in world.pool.lanes} == {15}
    for lease in leases:
        world.end(lease, OK)
    assert {lane.in_flight for lane in world.pool.lanes} == {0}


def test_a_faulty_key_gets_less(world: World):
    """A key with errors below the gate's bounds is used less than the others."""
    rng = random.Random(3)
    taken = [0] * 4
    for _ in range(400):
        world.pass_time(0.5)
        lease = world.begin()
        key = lease.lane.key.position
        taken[key] += 1
        world.end(lease, FAULT if key == 0 and rng.random() < 0.12 else OK)
    assert taken[0] < min(taken[1:])
    assert taken[0] > 0


@pytest.mark.parametrize("outcome", [CANCELLED, Outcome(Kind.CALLER, requests=0)])
def test_what_was_not_used_is_given_back(world: World, outcome: Outcome):
    """A cancelled or unsent call leaves the project's usage as it was."""
    lease = world.begin()
    assert lease.project.usage > 0
    world.pass_time(30.0)
    world.end(lease, outcome)
    assert lease.project.usage == pytest.approx(0.0)


def test_the_callers_fault_is_neither_health_nor_illness(world: World):
    """It counts as usage of the project and nowhere in the key's record."""
    world.call_on(0, *[CALLER] * 10)
    lane = world.lane(0)
    assert (lane.rate.calls(world.now), lane.gate.faults_in_row) == (0.0, 0)


def test_keys_of_one_project_take_turns():
    """Two keys of one project get together what one key of another gets."""
    world = World(keys=3, projects={0: "one", 1: "one", 2: "other"})
    taken = []
    for _ in range(12):
        world.pass_time(0.001)
        taken.append(world.call(OK))
    assert [taken.count(key) for key in range(3)] == [3, 3, 6]


def test_a_key_that_comes_back_is_last_in_turn():
    """Who leaves the turns of a project leaves the others' order; who comes back stands behind everybody."""
    world = World(keys=3, projects=dict.fromkeys(range(3), "one"))
    project = world.pool.projects[0]
    first, second, third = project.ready
    project.dismiss(second)
    project.dismiss(second)
    assert list(project.ready) == [first, third]
    project.admit(second)
    project.admit(third)
    assert list(project.ready) == [first, third, second]
    project.dismiss(first)
    assert list(project.ready) == [third, second]
    project.dismiss(second)
    project.dismiss(third)
    assert list(project.ready) == []


def test_an_answer_of_several_requests_weighs_as_many(world: World):
    """Automatic continuations are HTTP requests: usage and counts follow."""
    world.call_on(0, Outcome(Kind.OK, requests=3))
    assert sum(slot.usage for slot in world.pool.instances.slots) == 3
    assert world.lane(0).counts.requests == 3
    assert world.lane(0).project.usage / 3 == pytest.approx(world.pool.standing.scale.unit(world.now))


def test_tried_keys_are_left_for_untried_ones(world: World):
    """A second attempt goes elsewhere while elsewhere is possible."""
    assert {world.call(OK, 0, 1, 2) for _ in range(5)} == {3}
    assert world.call(OK, 0, 1, 2, 3) in {0, 1, 2, 3}


def test_a_busy_project_is_passed_over():
    """Above max(50 %, 150 % / n) of ten calls or more another live key is taken while there is one."""
    world = World(keys=2)
    world.call_on(0, *[OK] * 40)
    assert busy(world) == [0]
    assert world.call(OK) == 1
    lonely = World(keys=1)
    lonely.call_on(0, *[OK] * 40)
    assert busy(lonely) == []


def test_the_plain_form_is_the_documented_one():
    """``plain()``: usage is the lifetime count + 1, errors are never forgotten, the first best key wins."""
    world = World(config=PoolConfig.plain(), keys=3)
    assert [world.call(OK) for _ in range(6)] == [0, 1, 2, 0, 1, 2]
    assert world.pool.usage(world.pool.projects[0], world.now + 1e6) == 3.0
    world.call_on(0, FAULT)
    assert world.lane(0).rate.error(world.now + 1e6) == pytest.approx(1 / 3)
    assert world.pool.model == MODEL


def test_plain_shows_why_it_is_not_the_default():
    """A key whose first call failed scores 0 for ever in the plain form, and comes back in the default one."""
    plain, usual = World(config=PoolConfig.plain(), keys=3), World(keys=3)
    for world in (plain, usual):
        world.call_on(0, FAULT)
        world.pass_time(600.0)
    assert 0 not in {plain.call(OK) for _ in range(30)}
    assert 0 in {usual.call(OK) for _ in range(30)}


def test_a_pool_nobody_asked_for_a_month_still_answers(world: World):
    """The unit of the scale outgrows no number, however long the pool was idle."""
    world.call(OK)
    world.pass_time(30 * 86_400.0)
    assert busy(world) == []
    assert sorted(world.call(OK) for _ in range(4)) == [0, 1, 2, 3]
