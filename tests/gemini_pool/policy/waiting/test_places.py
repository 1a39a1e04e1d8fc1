"""A place in the line by itself: taken or not worth taking, how long to wait, and when to be told anew."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import DEAD, MODEL, OK, OVERLOADED, World, quota
from utils.gemini_pool.policy import KeySpec, PoolConfig, Request, Wait
from utils.gemini_pool.policy.keys import Death
from utils.gemini_pool.policy.latency import Size
from utils.gemini_pool.policy.waiting.places import Place
from utils.gemini_pool.policy.waiting.slots import Obstacle, Slot


def join(world: World, *, due_s: float = 20.0, latest_s: float = 25.0, user: str | None = None) -> Place[Request]:
    """Take a place that is due and useless after so many seconds."""
    return Place(
        world.policy,
        world.policy.request(MODEL, deadline_s=30.0),
        model=MODEL,
        user=user,
        size=Size.UNKNOWN,
        now=world.now,
        due_at=world.now + due_s,
        latest_at=world.now + latest_s,
    )


def walled(wait: float, keys: int = 1, **constants: float) -> World:
    """Give a world whose keys are all closed for so long."""
    world = World(keys=keys, config=PoolConfig(**constants))  # type: ignore[arg-type]  # constants by name
    for key in range(keys):
        world.call_on(key, quota(wait))
    return world


@pytest.mark.parametrize(("wait", "taken"), [(20.0, True), (20.1, False), (500.0, False)])
def test_a_place_is_worth_taking_if_its_slot_is_not_after_it_is_due(wait: float, taken: bool) -> None:
    """Else the slot that comes too late is told."""
    world = walled(wait)
    beyond = join(world).no_room()
    assert beyond == (None if taken else Slot(world.now + wait, Obstacle.QUOTA))


def test_with_every_key_dead_there_is_no_room() -> None:
    """And never will be."""
    world = World(keys=1)
    world.call(DEAD)
    assert join(world).no_room() == Slot(None, Obstacle.ALL_DEAD)


@pytest.mark.parametrize(("free", "others", "taken"), [(8, 7, True), (9, 7, True), (9, 8, False), (10, 8, True)])
def test_a_user_with_eight_places_leaves_one_to_others(free: int, others: int, taken: bool) -> None:
    """Of those that come free in time; with seven it may take the last."""
    world = World(keys=1, config=PoolConfig(requests_per_minute=free))
    for _ in range(free):
        world.call(OK)
    for _ in range(others):
        assert join(world, due_s=65.0, latest_s=70.0, user="u").no_room() is None
    assert (join(world, due_s=65.0, latest_s=70.0, user="u").no_room() is None) is taken


def test_who_would_make_another_late_is_told_the_end_of_the_line() -> None:
    """Two places come free in time, both are promised."""
    world = World(keys=1, config=PoolConfig(requests_per_minute=2))
    world.call(OK)
    world.call(OK)
    for _ in range(2):
        assert join(world, due_s=70.0, latest_s=75.0).no_room() is None
    beyond = join(world, due_s=65.0, latest_s=75.0).no_room()
    assert beyond is not None
    assert beyond.at == world.now + 2 * 61.0


def test_a_full_line_takes_nobody_in_whom_the_pace_would_let_go_too_late() -> None:
    """Below the bound nobody asks; above it the pace decides."""
    for late, most in ((False, 3), (True, 3), (False, 2), (True, 2)):
        world = walled(10.0, max_waiting=most)
        for _ in range(2):
            join(world)
        beyond = join(world, latest_s=5.0 if late else 25.0).no_room()
        assert (beyond is not None) is (late and most == 2)
        if beyond is not None:
            assert (beyond.obstacle, beyond.guess) == (Obstacle.LINE_FULL, True)


def test_it_waits_until_its_slot_and_knows_what_is_in_the_way() -> None:
    """A wait that is too short is a little longer; one too late ends it."""
    world = walled(10.0)
    place = join(world)
    assert place.obstacle is Obstacle.QUOTA
    wait = place.look(world.now)
    assert isinstance(wait, Wait)
    assert (wait.until, wait.obstacle, wait.place) == (world.now + 10.0, Obstacle.QUOTA, 1)
    world.pass_time(9.99)
    soon = place.look(world.now)
    assert isinstance(soon, Wait)
    assert soon.until == world.now + 0.05
    late = join(walled(25.1))
    found = late.look(1000.0)
    assert isinstance(found, Slot)
    assert found.at == 1025.1
    just = join(walled(25.0)).look(1000.0)
    assert isinstance(just, Wait)


@pytest.mark.parametrize(("wait", "hopeless"), [(24.9, False), (25.0, False), (25.1, True)])
def test_it_is_hopeless_when_its_slot_comes_after_it_is_of_use(wait: float, hopeless: bool) -> None:
    """Or never."""
    world = walled(wait)
    assert join(world).is_hopeless(world.now) is hopeless
    dead = World(keys=1)
    place = join(dead)
    dead.call(DEAD)
    dead.policy.room(MODEL).shake()
    assert place.is_hopeless(dead.now)


def test_an_overload_is_hushed_for_three_seconds() -> None:
    """Who waits for the model is not told before; then what is in the way is said."""
    world = World(keys=3)
    while not world.pool.breaker.is_open:
        world.call(OVERLOADED)
    world.pool.breaker.next_probe_at = world.now + 9.5
    world.policy.room(MODEL).shake()
    place = join(world)
    first = place.look(world.now)
    assert isinstance(first, Wait)
    assert (first.until, first.obstacle) == (world.now + 3.0, None)
    assert place.obstacle is Obstacle.OVERLOADED
    world.pass_time(3.0)
    then = place.look(world.now)
    assert isinstance(then, Wait)
    assert (then.until, then.obstacle) == (world.now + 6.5, Obstacle.OVERLOADED)


def test_who_was_not_told_of_the_first_place_is_misled_when_it_is_its() -> None:
    """Before the first look as well; who was told of it is not, while there is no pace."""
    world = walled(10.0)
    first, second = join(world), join(world)
    assert first.is_misled(world.now)
    first.look(world.now)
    second.look(world.now)
    assert not first.is_misled(world.now)
    assert second.is_misled(world.now)
    first.leave()
    assert second.is_misled(world.now)
    second.look(world.now)
    assert not second.is_misled(world.now)


def test_under_a_pace_who_was_told_a_later_time_is_misled() -> None:
    """Its slot has come sooner since."""
    world = walled(20.0, keys=2)
    place = join(world)
    world.policy.room(MODEL).pace.start(world.now)
    place.look(world.now)
    assert not place.is_misled(world.now)
    world.policy.reset_pools([key.spec for key in world.policy.keys])
    world.policy.room(MODEL).shake()
    assert place.is_misled(world.now)


def test_it_is_next_by_turn_and_by_the_pace() -> None:
    """Only the first, and only when the pace allows."""
    world = walled(10.0)
    first, second = join(world, user="a"), join(world, user="b")
    assert first.is_next(world.now)
    assert not second.is_next(world.now)
    room = world.policy.room(MODEL)
    room.pace.start(world.now)
    room.pace.went(world.now, 0.1, 2.5)
    assert not first.is_next(world.now)
    first.let_go(world.now, paced=False)
    assert not second.is_next(world.now)
    second.leave()
    assert not room.line


def test_who_is_due_first_counts_with_the_sooner_of_its_places() -> None:
    """It is second by turn and first by the time it is due: not hopeless, though by turn it would come too late."""
    world = World(keys=1, config=PoolConfig(requests_per_minute=1))
    world.call(OK)
    join(world, due_s=90.0, latest_s=95.0, user="a")
    hurried = join(world, due_s=65.0, latest_s=100.0, user="b")
    assert not hurried.is_hopeless(world.now)
    wait = hurried.look(world.now)
    assert isinstance(wait, Wait)
    assert (wait.place, wait.until, wait.estimate_s) == (2, world.now + 100.0, 122.0)


def test_with_every_key_dead_the_waiting_ends() -> None:
    """A look says so, and under a pace whoever is next is told at once."""
    world = walled(10.0)
    place = join(world)
    world.policy.room(MODEL).pace.start(world.now)
    assert isinstance(place.look(world.now), Wait)
    assert not place.is_misled(world.now)
    world.policy.keys[0].dead = Death("API_KEY_INVALID", world.wall)
    world.policy.room(MODEL).shake()
    assert place.is_misled(world.now)
    assert place.look(world.now) == Slot(None, Obstacle.ALL_DEAD)


def test_the_shortest_wait_misleads_nobody() -> None:
    """Its slot comes sooner than that: to look again a little later is what it was told."""
    world = walled(10.0)
    place = join(world)
    world.policy.room(MODEL).pace.start(world.now)
    world.pass_time(9.99)
    wait = place.look(world.now)
    assert isinstance(wait, Wait)
    assert wait.until == world.now + 0.05
    assert not place.is_misled(world.now)


def test_under_a_pace_a_place_that_came_free_sooner_misleads_by_a_second_too() -> None:
    """It was told the end of the minute; now there is a key that can serve at once, and the next one is told of it."""
    world = World(keys=1, config=PoolConfig(requests_per_minute=1))
    world.call(OK)
    place = join(world, due_s=65.0, latest_s=70.0)
    world.policy.room(MODEL).pace.start(world.now)
    wait = place.look(world.now)
    assert isinstance(wait, Wait)
    assert wait.until == world.now + 61.0
    world.pass_time(60.0)
    assert not place.is_misled(world.now)
    world.policy.reload_keys([KeySpec("f0"), KeySpec("f1")])
    assert place.is_misled(world.now)
