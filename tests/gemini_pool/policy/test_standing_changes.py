"""Lanes and projects that change where they stand: taken out, spent, looked at again at their time, out of step."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, OK, OVERLOADED, World, quota
from tests.gemini_pool.policy.test_standing import STILL, with_dice
from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.selection import FIRST, Probe

ENDLESS = float("inf")


def ordinary(world: World) -> Lease:
    """Begin a call as a newcomer does, which must be possible."""
    lease = world.policy.begin(MODEL, FIRST, world.now)
    assert lease is not None
    return lease


def keep(world: World, *keys: int) -> None:
    """Configure just these of the keys."""
    world.policy.reload_keys([world.policy.keys[key].spec for key in keys])


# Taken out


def test_a_project_that_left_is_no_part_of_the_usage() -> None:
    """What is busy is measured by those that are there."""
    world = World(keys=3, config=PoolConfig(usage_half_life_s=ENDLESS))
    for key, calls in enumerate((6, 3, 2)):
        world.call_on(key, *[OK] * calls)
    standing = world.pool.standing
    assert standing.total == pytest.approx(11.0)
    keep(world, 1, 2)
    assert standing.total == pytest.approx(5.0)
    keep(world, 0)
    world.call(OK)
    assert standing.total == pytest.approx(4.0)


def test_when_the_only_one_that_was_used_leaves_nothing_was_used() -> None:
    """Not even a little."""
    world = World(keys=2, config=PoolConfig(usage_half_life_s=ENDLESS))
    world.call_on(0, OK, OK)
    keep(world, 1)
    assert world.pool.standing.total == 0.0


def test_a_closed_project_that_left_is_not_counted_and_not_opened() -> None:
    """Neither when it leaves nor when its closure would have ended."""
    world = World(keys=3)
    for key, seconds in ((0, 30.0), (1, 60.0)):
        world.call_on(key, quota(seconds))
    keep(world, 1, 2)
    assert world.pool.standing.closed == 1
    world.pass_time(31.0)
    world.call(OK)
    assert world.pool.standing.closed == 1
    world.pass_time(30.0)
    world.call(OK)
    assert world.pool.standing.closed == 0


# Instances


def test_calls_of_a_key_with_two_instances_go_to_both() -> None:
    """The one with fewer under way serves."""
    world = World(keys=2, pool_size=4)
    leases = [world.begin_on(0) for _ in range(4)]
    assert [lease.slot_index for lease in leases] == [0, 2, 0, 2]
    keep(world, 0)
    assert len({lease.slot_index for lease in (ordinary(world), ordinary(world))}) == 2


def test_a_dead_key_without_an_instance_is_no_spare() -> None:
    """Its instance was given away when the next one served; it never serves again."""
    world = World(keys=3, pool_size=1)
    world.call_on(0, quota(300.0))
    assert world.call(DEAD) == 1
    assert world.call(OK) == 2
    assert [len(lane.slots) for lane in world.pool.lanes] == [0, 0, 1]
    world.call_on(2, quota(300.0))
    assert world.try_begin() is None
    assert not world.pool.has_another(world.lane(0))


def test_a_late_key_that_died_is_passed_over_by_nobody() -> None:
    """It is dead: one call hangs, another said so."""
    world = World(keys=2)
    _, other = world.begin_on(0), world.begin_on(0)
    world.pass_time(13.0)
    world.call_on(1, OK)
    assert world.pool.standing.passed_over == 1
    world.end(other, DEAD)
    assert world.pool.standing.passed_over == 0
    world.call_on(1, quota(300.0))
    assert world.try_begin() is None


def test_a_late_key_without_an_instance_is_a_spare_and_nothing_else() -> None:
    """The only instance went to another while its call hangs."""
    world = World(keys=2, pool_size=1)
    world.begin_on(0)
    world.call_on(0, quota(300.0))
    assert world.call(OK) == 1
    world.pass_time(13.0)
    world.call(OK)
    assert [len(lane.slots) for lane in world.pool.lanes] == [0, 1]
    assert world.lane(0).overdue == 1
    assert world.pool.standing.passed_over == 0


def test_a_healed_key_is_ejected_again_by_ordinary_calls() -> None:
    """What begins after the gate closed belongs to the new state of it."""
    world = World(keys=2, config=STILL)
    world.eject(0)
    world.pass_time(30.0)
    world.end(world.begin(), OK)
    world.call_on(1, quota(300.0))
    world.pool.standing.look_after(world.now)
    for _ in range(3):
        assert world.state(0) is GateState.LIVE
        lease = ordinary(world)
        assert lease.lane.key.position == 0
        world.end(lease, FAULT)
    assert world.state(0) is GateState.OPEN


# Spent


def test_a_closed_project_takes_no_place_by_a_late_fault() -> None:
    """It stays out until its time, and is nobody to move on to."""
    world = World(keys=2)
    late = world.begin_on(1)
    world.call_on(1, quota(300.0))
    world.end(late, FAULT)
    assert world.pool.standing.ranking.open == 1
    assert not world.pool.has_another(world.lane(0))


def test_a_closed_project_is_not_looked_at_before_its_time() -> None:
    """Only once a second, as always."""
    world = World(keys=2)
    world.call_on(0, quota(30.0))
    ordinary(world)
    assert world.pool.standing.due == world.now + 1.0


def test_a_place_that_comes_free_before_the_next_look_is_taken_at_once() -> None:
    """The minute's only place is free again after 61 s; the pool had looked after itself 0.6 s before."""
    world = World(keys=1, config=PoolConfig(requests_per_minute=1))
    under_way = ordinary(world)
    world.policy.hear(under_way)
    world.pass_time(60.4)
    assert world.policy.begin(MODEL, FIRST, world.now) is None
    assert world.pool.standing.due == pytest.approx(world.now + 0.6)
    world.pass_time(0.7)
    assert ordinary(world).lane is under_way.lane


def test_who_is_at_a_limit_lets_the_next_one_serve() -> None:
    """Its two places of the minute are taken by calls under way; the score alone would take it again."""
    world = World(keys=2, config=PoolConfig(requests_per_minute=2))
    for _ in range(3):
        world.call_on(1, OK, OK)
        world.pass_time(62.0)
    for _ in range(2):
        world.begin_on(0)
    assert world.lane(0).project.usage < world.lane(1).project.usage
    assert world.call(OK) == 1


# Who is chosen


def test_who_moves_on_looks_at_sixteen_projects_for_one_without_a_fresh_fault() -> None:
    """Then one with a fault will do, though the last of twenty is sound."""
    config = PoolConfig(usage_half_life_s=ENDLESS, error_half_life_s=ENDLESS, max_ejected_share=0.0)
    for faulty, chosen in ((19, 16), (17, 16), (16, 16), (15, 15)):
        world = World(keys=20, config=config)
        for key in range(20):
            world.call_on(key, FAULT if key < faulty else OK)
        for key in range(faulty, 20):
            world.call_on(key, OK)
        assert world.begin(0).lane.key.position == chosen


def test_a_busy_project_is_passed_over_though_its_score_is_best() -> None:
    """Every call of the other failed, but its share is small; both serve when the other was tried."""
    config = PoolConfig(usage_half_life_s=ENDLESS, error_prior=0.0, max_ejected_share=0.0)
    world = World(keys=2, config=config)
    world.call_on(0, *[OK] * 40)
    world.call_on(1, FAULT)
    assert world.pool.standing.is_busy(world.lane(0).project, world.now)
    assert world.begin().lane.key.position == 1
    assert world.begin(1).lane.key.position == 0


@pytest.mark.parametrize(("shown", "first"), [(1 / 6, 0), (0.1666, 1)])
def test_dice_at_the_error_itself_let_the_key_serve(shown: float, first: int) -> None:
    """A sixth of the turns are lost to one fault of one call and the prior, and no more."""
    config = PoolConfig(max_ejected_share=0.0)
    world = with_dice(World(keys=2, projects={0: "p", 1: "p"}, config=config), shown)
    world.call_on(0, FAULT)
    world.call_on(1, OK)
    assert world.begin().lane.key.position == first


def test_a_key_that_always_failed_loses_all_its_turns() -> None:
    """Where no good calls are imagined its error is 1."""
    config = PoolConfig(max_ejected_share=0.0, error_prior=0.0)
    world = with_dice(World(keys=2, projects={0: "p", 1: "p"}, config=config), 0.999)
    world.call_on(0, FAULT)
    world.call_on(1, OK)
    assert {world.begin().lane.key.position for _ in range(4)} == {1}


def test_of_equally_faulty_keys_the_one_whose_turn_it_is_serves() -> None:
    """The dice leave both out, so neither is better."""
    config = PoolConfig(max_ejected_share=0.0)
    world = with_dice(World(keys=2, projects={0: "p", 1: "p"}, config=config), 0.0)
    world.call_on(0, FAULT)
    world.call_on(1, FAULT)
    turn = world.lane(0).project.turn
    assert turn is not None
    assert {world.begin().lane for _ in range(3)} == {turn}


# Probes


def test_a_probe_whose_project_is_closed_is_not_looked_at_before_its_time() -> None:
    """Only once a second, as always."""
    world = World(keys=3, projects={0: "p", 1: "p"}, config=STILL)
    world.eject(0)
    world.pass_time(20.0)
    world.call_on(1, quota(30.0))
    world.pass_time(10.0)
    for _ in range(2):
        assert world.begin().probe is Probe.NONE
        world.pass_time(0.05)
    assert ordinary(world).probe is Probe.NONE
    assert world.pool.standing.due == pytest.approx(world.now + 0.9)


def test_a_probe_whose_reader_left_is_made_again_by_the_next_newcomer() -> None:
    """Not only when the pool looks after itself."""
    world = World(keys=2, config=STILL)
    world.eject(0)
    world.pass_time(30.0)
    probe = ordinary(world)
    assert (probe.probe, ordinary(world).probe) == (Probe.GATE, Probe.NONE)
    world.end(probe, CANCELLED)
    again = ordinary(world)
    assert (again.probe, again.lane.key.position) == (Probe.GATE, 0)


def test_a_key_whose_ejection_was_taken_back_is_not_probed() -> None:
    """It was due for a probe, then its faults turned out to be the model's."""
    world = World(keys=4, config=STILL)
    for _ in range(3):
        world.call_on(0, OVERLOADED)
    assert world.state(0) is GateState.OPEN
    world.pass_time(30.0)
    world.begin(may_probe=False)
    assert world.pool.standing.has_probes
    for key in (1, 2, 1):
        world.call_on(key, OVERLOADED)
    world.pass_time(2.0)
    world.end(world.begin(), OK)
    assert [world.begin().probe for _ in range(4)] == [Probe.NONE] * 4


def test_a_day_that_ends_before_it_was_asked_after_opens_by_itself() -> None:
    """Nobody could afford the probe of the evening; after midnight in Los Angeles there is nothing to find out."""
    world = World(keys=2)
    world.call_on(0, quota(5.0, Window.DAY))
    world.pass_time(3600.0)
    world.end(world.begin(may_probe=False), OK)
    assert world.pool.standing.has_probes
    world.pass_time(7 * 3600.0 + 2.0)
    leases = [world.begin() for _ in range(4)]
    assert [lease.probe for lease in leases] == [Probe.NONE] * 4
    assert {lease.lane.key.position for lease in leases} == {0, 1}
    assert world.pool.standing.closed == 0


# Upkeep


def test_places_that_are_no_longer_valid_do_not_pile_up() -> None:
    """Every fault writes a new place; once a second those that are too many are removed."""
    world = World(config=PoolConfig(max_ejected_share=0.0))
    leases = [world.begin() for _ in range(200)]
    for lease in leases:
        world.end(lease, FAULT)
    ranking = world.pool.standing.ranking
    assert len(ranking.queue) + len(ranking.heap) > 200
    world.pass_time(1.0)
    world.pool.standing.look_after(world.now)
    assert len(ranking.queue) + len(ranking.heap) == ranking.open == 4


def test_a_key_with_errors_is_ranked_anew_every_ten_seconds_and_no_sooner() -> None:
    """Looked at every second; each of the places it is given has a number of its own."""
    world = World(config=PoolConfig(max_ejected_share=0.0))
    world.call_on(0, FAULT)
    standing = world.pool.standing
    standing.look_after(world.now)
    ranked = []
    for _ in range(40):
        before = standing.ranking.number
        world.pass_time(1.0)
        standing.look_after(world.now)
        ranked.append(standing.ranking.number - before)
    first = ranked.index(1)
    assert first < 10
    assert ranked[first:] == ([1, *[0] * 9] * 4)[: 40 - first]
