"""When a place comes free for the k-th who waits, over all projects and whatever closes them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gemini_pool.policy.conftest import DEAD, MODEL, NO_QUOTA, OK, OVERLOADED, World, quota
from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.waiting.slots import Obstacle, Slot


def slot(world: World, place: int) -> Slot:
    """Give the slot of a place, in seconds from now."""
    found = world.policy.slot(MODEL, place, world.now)
    return Slot(None if found.at is None else found.at - world.now, found.obstacle, found.guess)


def test_without_limits_everybody_could_go_at_once(world: World):
    """Nothing is in the way: any place is now."""
    assert [slot(world, place) for place in (1, 2, 500)] == [Slot(0.0, Obstacle.QUOTA)] * 3


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_places_come_free_over_all_projects(gaps: list[int]):
    """The k-th slot is the k-th of all times at which a place of any project is free again."""
    world = World(config=PoolConfig(requests_per_minute=2), keys=3)
    starts = []
    for gap in gaps:
        world.pass_time(gap)
        lease = world.try_begin()
        if lease is not None:
            starts.append(world.now)
            world.end(lease, OK)
    taken = sorted(start + 61.0 - world.now for start in starts if start + 61.0 > world.now)
    free = [0.0] * (6 - len(taken))
    expected = list(itertools.islice(sorted([*free, *taken]), 6))
    assert [slot(world, place).at for place in range(1, 7)] == pytest.approx(expected)


def test_the_minute_after_next_is_known_too():
    """The slots taken by those who go first are free again a minute after that."""
    world = World(config=PoolConfig(requests_per_minute=2), keys=1)
    for _ in range(2):
        world.call(OK)
        world.pass_time(10.0)
    assert [slot(world, place).at for place in (1, 2, 3, 4, 5)] == [41.0, 51.0, 102.0, 112.0, 163.0]


def test_a_wall_is_waited_out():
    """Both projects are closed: the first slot is the first wall's end."""
    world = World(keys=2)
    world.call(quota(30.0))
    world.call(quota(20.0))
    assert slot(world, 1) == Slot(20.0, Obstacle.QUOTA)


def test_a_spent_day_is_probed_within_the_hour():
    """The first may go to find out; for the others it is the end of the day."""
    world = World(keys=1)
    world.call(quota(5.0, Window.DAY))
    first, second = slot(world, 1), slot(world, 2)
    assert first == Slot(3600.0, Obstacle.QUOTA)
    assert second.at == pytest.approx(8 * 3600.0, abs=2.0)
    world.pass_time(3600.0)
    world.begin()
    assert slot(world, 1).guess


def test_a_project_without_quota_is_probed_once_a_day():
    """As far as anybody can know."""
    world = World(keys=1)
    world.call(NO_QUOTA)
    assert slot(world, 1).at == 86400.0


def test_while_a_refusal_is_unexplained_calls_go_one_after_the_other():
    """The next may begin when the one under way ends: nobody can know when."""
    world = World(keys=1)
    first = world.begin()
    world.begin()
    world.end(first, quota(5.0))
    assert slot(world, 1) == Slot(5.0, Obstacle.QUOTA, guess=True)
    world.pass_time(6.0)
    assert slot(world, 1) == Slot(2.5, Obstacle.QUOTA, guess=True)


def test_behind_a_gate_one_goes_first():
    """The only key that is not dead is ejected: one finds out, the others follow its answer."""
    world = World(config=PoolConfig(open_jitter=0.0), keys=2)
    world.eject(0)
    world.end(world.begin_on(1), DEAD)
    first, second = slot(world, 1), slot(world, 2)
    assert first == Slot(30.0, Obstacle.FAULTS)
    assert second == Slot(32.5, Obstacle.FAULTS, guess=True)
    world.pass_time(30.0)
    world.begin()
    assert slot(world, 1) == Slot(2.5, Obstacle.FAULTS, guess=True)


def test_an_overloaded_model_is_a_guess():
    """The next probe, and everybody else after its answer."""
    world = World(keys=3)
    while not world.pool.breaker.is_open:
        world.call(OVERLOADED)
    assert slot(world, 1) == Slot(2.0, Obstacle.OVERLOADED, guess=True)
    assert slot(world, 2) == Slot(4.5, Obstacle.OVERLOADED, guess=True)
    world.pass_time(2.0)
    world.begin()
    assert slot(world, 1) == Slot(2.5, Obstacle.OVERLOADED, guess=True)


def test_no_key_no_slot():
    """All dead, or none configured."""
    world = World(keys=1)
    world.call(DEAD)
    assert slot(world, 1) == slot(World(keys=0), 1) == Slot(None, Obstacle.ALL_DEAD)


def test_slots_until_a_time_are_counted():
    """As many as come free by then, and no more than a caller wants to know of, and some."""
    world = World(config=PoolConfig(requests_per_minute=2), keys=2)
    for _ in range(4):
        world.call(OK)
    assert world.policy.places_until(MODEL, world.now + 60.0, world.now) == 0
    assert world.policy.places_until(MODEL, world.now + 61.0, world.now) == 4
    assert world.policy.places_until(MODEL, world.now + 130.0, world.now) == 8
    assert 1 <= World().policy.places_until(MODEL, 1e9, 1000.0) < 1000
    assert World(keys=0).policy.places_until(MODEL, 1e9, 1000.0) == 0


def test_slots_taken_since_they_were_counted_are_gone():
    """Without counting anew: the next slot is that of the second, and so many fewer come until a time."""
    world = World(config=PoolConfig(requests_per_minute=2), keys=2)
    world.call(OK)
    world.pass_time(10.0)
    for _ in range(3):
        world.call(OK)
    slots = world.policy.room(MODEL).slots
    before = [slots.at(world.pool, place, world.now, 2.5).at for place in (1, 2, 3)]
    assert before == [world.now + 51.0, world.now + 61.0, world.now + 61.0]
    assert slots.until(world.pool, world.now + 61.0, world.now, 2.5, at_least=3) == 4
    slots.take()
    assert slots.at(world.pool, 1, world.now, 2.5).at == before[1]
    assert slots.until(world.pool, world.now + 61.0, world.now, 2.5, at_least=3) == 3
    slots.forget()
    assert slots.at(world.pool, 1, world.now, 2.5).at == before[0]
    assert slots.until(world.pool, world.now + 61.0, world.now, 2.5, at_least=3) == 4


def test_slots_are_counted_anew_when_they_are_old():
    """After a short while, at once when somebody looks back in time, and for another pool."""
    world = World(config=PoolConfig(requests_per_minute=1), keys=1)
    slots = world.policy.room(MODEL).slots
    assert slots.at(world.pool, 1, world.now, 2.5).at == world.now
    world.call(OK)
    assert slots.at(world.pool, 1, world.now, 2.5).at == world.now
    assert slots.at(world.pool, 1, world.now + 0.003, 2.5).at == world.now + 0.003
    assert slots.at(world.pool, 1, world.now - 0.001, 2.5).at == world.now + 61.0
    slots.forget()
    assert slots.at(world.pool, 1, world.now, 2.5).at == world.now + 61.0
    same_time = World(config=PoolConfig(requests_per_minute=1), keys=1, now=world.now)
    assert slots.at(same_time.pool, 1, world.now, 2.5).at == world.now
    same_time.call(OK)
    assert slots.at(same_time.pool, 1, world.now + 0.0036, 2.5).at == world.now + 61.0
    world.pass_time(0.01)
    other = World(config=PoolConfig(requests_per_minute=1), keys=1, now=world.now)
    assert slots.at(other.pool, 1, world.now, 2.5).at == world.now
    assert slots.at(other.pool, 40, world.now, 2.5).at == pytest.approx(world.now + 39 * 61.0)


def test_behind_gates_the_first_that_opens_counts():
    """Of a project with several keys that are out; a dead one has no gate any more."""
    world = World(config=PoolConfig(open_jitter=0.0, peer_factor=0.0), keys=6, projects=dict.fromkeys((0, 1, 2), "p"))
    world.end(world.begin_on(2), DEAD)
    world.eject(0)
    world.pass_time(4.0)
    world.eject(1)
    for key in (3, 4, 5):
        world.end(world.begin_on(key), DEAD)
    assert slot(world, 1) == Slot(26.0, Obstacle.FAULTS)
    assert slot(world, 2) == Slot(28.5, Obstacle.FAULTS, guess=True)
    world.pass_time(26.0)
    world.begin()
    assert slot(world, 1) == Slot(2.5, Obstacle.FAULTS, guess=True)
    world.pass_time(2.0)
    assert slot(world, 1) == Slot(2.0, Obstacle.FAULTS, guess=True)


def test_behind_a_gate_that_opens_sooner_it_is_the_quota_that_counts():
    """The gate opens after 30 s; three of three requests were sent, and the first leaves after 61."""
    world = World(config=PoolConfig(open_jitter=0.0, requests_per_minute=3), keys=2)
    world.eject(0)
    world.end(world.begin_on(1), DEAD)
    assert slot(world, 1) == Slot(61.0, Obstacle.FAULTS)
