"""Who can serve now, in which order, and who comes back when: spares, turns, probes, closures and busy projects."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, NO_QUOTA, OK, OVERLOADED, World, quota
from utils.gemini_pool.policy import KeySpec, Policy, PoolConfig
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.selection import FIRST, Probe, Wishes

STILL = PoolConfig(open_jitter=0.0, peer_factor=0.0)


class Dice(random.Random):
    """Dice that always show the same."""

    def __init__(self, shown: float) -> None:
        super().__init__()
        self.shown = shown

    def random(self) -> float:
        """Give what they show."""
        return self.shown


def with_dice(world: World, shown: float) -> World:
    """Let a world's policy throw these."""
    specs = [KeySpec(f"f{number}", None, world.projects.get(number)) for number in range(world.keys)]
    world.policy = Policy(world.config, lambda: world.now, lambda: world.wall, Dice(shown), keys=specs)
    return world


def test_a_key_without_an_instance_serves_when_nobody_else_can() -> None:
    """A spare gets an instance of another then; the least used of the spares comes first."""
    world = World(keys=3, pool_size=1)
    assert {world.call(OK) for _ in range(3)} == {0}
    assert world.pool.has_another(world.lane(0))
    world.call_on(0, quota(300.0))
    assert world.call(OK) == 1
    assert [len(lane.slots) for lane in world.pool.lanes] == [0, 1, 0]
    world.call_on(1, quota(300.0))
    assert world.call(OK) == 2
    world.call_on(2, quota(300.0))
    assert world.try_begin() is None


def test_among_spares_the_untried_comes_first() -> None:
    """A tried one serves when all are; a dead one never."""
    for tried, chosen in (((1, 2), 3), ((1,), 2), ((), 1), ((1, 2, 3, 4), 1)):
        world = World(keys=5, pool_size=1)
        world.end(world.begin_on(0), DEAD)
        assert world.begin(*tried).lane.key.position == chosen


def test_a_late_key_that_died_is_nobody_to_fall_back_on() -> None:
    """Nor is one whose gate is open."""
    world = World(keys=2)
    slow = world.begin_on(0)
    world.pass_time(13.0)
    world.call(OK)
    assert world.pool.standing.passed_over == 1
    other = world.begin(1)
    world.end(other, DEAD)
    assert world.pool.standing.passed_over == (0 if other.lane is slow.lane else 1)


@pytest.mark.parametrize(("keys", "busy_from"), [(2, 0.75), (3, 0.5), (8, 0.5)])
def test_a_project_is_busy_above_its_bound_of_ten_calls(keys: int, busy_from: float) -> None:
    """Half of all usage, or 1.5 times the fair share; at the bound itself and below ten calls it is not."""
    world = World(keys=keys, config=PoolConfig(usage_half_life_s=float("inf")))
    mine = round(12 * busy_from)
    world.call_on(0, *[OK] * mine)
    world.call_on(1, *[OK] * (12 - mine))
    standing, project = world.pool.standing, world.lane(0).project
    assert not standing.is_busy(project, world.now)
    world.call_on(0, OK)
    assert standing.is_busy(project, world.now)
    few = World(keys=keys, config=PoolConfig(usage_half_life_s=float("inf")))
    few.call_on(0, *[OK] * 9)
    assert not few.pool.standing.is_busy(few.lane(0).project, few.now)
    few.call_on(0, OK)
    assert few.pool.standing.is_busy(few.lane(0).project, few.now)


def test_a_busy_project_serves_when_the_others_were_tried() -> None:
    """Before a tried one does."""
    world = World(keys=2, config=PoolConfig(usage_half_life_s=float("inf")))
    world.call_on(0, *[OK] * 40)
    assert world.call(OK) == 1
    assert world.call(OK, 1) == 0
    assert world.call(OK, 0) == 1


@pytest.mark.parametrize(("shown", "first"), [(0.0, 1), (0.1, 1), (0.2, 0)])
def test_a_key_with_errors_is_left_out_of_its_share_of_turns(shown: float, first: int) -> None:
    """One fault of one call is an error of 1/6: dice below it pass the key over, dice above do not."""
    projects = {0: "p", 1: "p"}
    world = with_dice(World(keys=2, projects=projects, config=PoolConfig(max_ejected_share=0.0)), shown)
    lease = world.begin_on(0)
    world.end(lease, FAULT)
    world.end(world.begin_on(1), OK)
    assert world.begin().lane.key.position == first


def test_when_all_keys_are_left_out_the_least_faulty_serves() -> None:
    """Of three, with three, one and two faults."""
    world = with_dice(
        World(keys=3, projects=dict.fromkeys(range(3), "p"), config=PoolConfig(max_ejected_share=0.0)), 0.0
    )
    for key, faults in ((0, 3), (1, 1), (2, 2)):
        for _ in range(faults):
            world.end(world.begin_on(key), FAULT)
    assert {world.begin().lane.key.position for _ in range(4)} == {1}
    assert world.begin(1).lane.key.position == 2
    assert world.begin(0, 1, 2).lane.key.position == 1


def test_keys_of_a_project_take_turns_in_their_order() -> None:
    """A tried one is passed over and keeps its turn."""
    world = World(keys=3, projects=dict.fromkeys(range(3), "p"))
    assert [world.call(OK) for _ in range(4)] == [0, 1, 2, 0]
    assert world.call(OK, 1) == 2
    assert world.call(OK, 0, 2) == 1


def test_an_error_that_fades_brings_the_project_back_in_time() -> None:
    """Its place is looked at anew every ten seconds, not only when it is called."""
    world = World(keys=2, config=PoolConfig(usage_half_life_s=float("inf"), max_ejected_share=0.0))
    world.call_on(0, FAULT, FAULT)
    world.call_on(1, OK, OK)
    taken = Counter[int]()
    for _ in range(40):
        world.pass_time(10.0)
        taken[world.call(OK)] += 1
    assert taken[0] >= 19
    at_once = World(keys=2, config=PoolConfig(usage_half_life_s=float("inf"), max_ejected_share=0.0))
    at_once.call_on(0, FAULT, FAULT)
    at_once.call_on(1, OK, OK)
    assert [at_once.call(OK) for _ in range(3)] == [1, 1, 0]


def test_a_closed_project_is_counted_and_comes_back_at_its_time() -> None:
    """To the moment, though nobody asked in between; each is counted once."""
    world = World(keys=3)
    for key, seconds in ((0, 30.0), (1, 20.0)):
        world.call_on(key, quota(seconds))
    assert world.pool.standing.closed == 2
    world.pass_time(19.9)
    assert {world.call(OK) for _ in range(3)} == {2}
    assert world.pool.standing.closed == 2
    world.pass_time(0.1)
    assert 1 in {world.call(OK) for _ in range(3)}
    assert world.pool.standing.closed == 1
    world.pass_time(10.0)
    assert 0 in {world.call(OK) for _ in range(4)}
    assert world.pool.standing.closed == 0


def test_a_closure_that_ends_after_a_half_life_lets_the_project_start_at_the_mean() -> None:
    """It would draw all requests otherwise; a shorter one changes nothing."""
    for seconds, lifted in ((299.0, False), (300.0, True)):
        world = World(keys=3)
        world.call_on(0, quota(seconds))
        for _ in range(10):
            world.call(OK, 0)
        world.pass_time(seconds)
        world.pool.standing.look_after(world.now)
        usages = [world.pool.usage(project, world.now) for project in world.pool.projects]
        assert (usages[0] == pytest.approx((usages[1] + usages[2]) / 2)) is lifted


def test_a_restart_is_told_of_closed_projects() -> None:
    """Counted once, and open again at their time."""
    before = World(keys=2)
    before.call_on(0, quota(30.0))
    after = World(keys=2, now=5.0, wall=before.wall)
    after.policy.restore({}, before.policy.snapshot())
    assert after.pool.standing.closed == 1
    assert {after.call(OK) for _ in range(2)} == {1}
    after.pass_time(30.0)
    assert 0 in {after.call(OK) for _ in range(3)}
    assert after.pool.standing.closed == 0


def test_a_closure_that_grows_shorter_is_looked_at_sooner() -> None:
    """A spent day may be asked after once an hour; the probe goes then, and no other with it."""
    world = World(keys=2)
    world.call_on(0, quota(5.0, Window.DAY))
    world.pass_time(3599.0)
    assert world.begin().lane.key.position == 1
    world.pass_time(1.0)
    probes = [world.begin() for _ in range(3)]
    assert [(lease.probe, lease.lane.key.position) for lease in probes] == [
        (Probe.QUOTA, 0),
        (Probe.NONE, 1),
        (Probe.NONE, 1),
    ]
    assert not world.pool.standing.has_probes
    world.end(probes[0], OK)
    assert {world.call(OK) for _ in range(6)} == {0, 1}


def test_probes_go_in_the_order_in_which_they_came_due() -> None:
    """One for each gate; those that cannot afford one, and further attempts, go elsewhere."""
    world = World(keys=5, config=STILL)
    for key in (2, 0):
        world.eject(key)
        world.pass_time(1.0)
    world.pass_time(29.0)
    assert world.begin(may_probe=False).probe is Probe.NONE
    assert world.begin(4).probe is Probe.NONE
    assert world.pool.standing.has_probes
    first, second, third = world.begin(), world.begin(), world.begin()
    assert [(one.probe, one.lane.key.position) for one in (first, second)] == [(Probe.GATE, 2), (Probe.GATE, 0)]
    assert third.probe is Probe.NONE


def test_a_further_attempt_probes_when_nobody_else_is_left() -> None:
    """It has tried the only other key."""
    world = World(keys=2, config=STILL)
    world.eject(0)
    world.call_on(1, quota(300.0))
    world.pass_time(30.0)
    lease = world.begin(1)
    assert (lease.probe, lease.lane.key.position) == (Probe.GATE, 0)


def test_a_key_that_died_meanwhile_is_not_probed() -> None:
    """Another that is due behind it is."""
    world = World(keys=6, config=STILL)
    for key in (0, 1):
        world.eject(key)
    under_way = world.policy.begin("other", Wishes(frozenset({1, 2, 3, 4, 5})), world.now)
    assert under_way is not None
    world.pass_time(30.0)
    assert world.begin(may_probe=False).probe is Probe.NONE
    world.policy.end(under_way, DEAD, world.now)
    lease = world.begin()
    assert (lease.probe, lease.lane.key.position) == (Probe.GATE, 1)
    assert world.begin().probe is Probe.NONE


def test_a_probe_waits_for_its_projects_quota() -> None:
    """The gate is due, the project closed: the probe goes when both allow it."""
    world = World(keys=3, projects={0: "p", 1: "p"}, config=STILL)
    world.eject(0)
    world.pass_time(20.0)
    world.call_on(1, quota(30.0))
    world.pass_time(10.0)
    assert [world.begin().probe for _ in range(3)] == [Probe.NONE] * 3
    world.pass_time(19.9)
    assert world.begin().probe is Probe.NONE
    world.pass_time(0.2)
    lease = world.begin()
    assert (lease.probe, lease.lane.key.position) == (Probe.GATE, 0)


def test_a_probe_that_told_nothing_is_followed_by_another() -> None:
    """The reader left: the gate is asked after again at once."""
    world = World(keys=2, config=STILL)
    world.eject(0)
    world.pass_time(30.0)
    probe = world.begin()
    world.end(probe, CANCELLED)
    again = world.begin()
    assert (again.probe, again.lane.key.position) == (Probe.GATE, 0)


def test_a_project_without_a_key_that_could_ask_is_not_probed() -> None:
    """Its only key is ejected: first its gate must be found out about."""
    world = World(keys=3, config=STILL)
    world.call_on(0, NO_QUOTA)
    world.pass_time(86_390.0)
    lease = world.pool.begin(Wishes(frozenset({1, 2})), world.now)
    assert lease is not None
    assert lease.lane.key.position in {1, 2}
    world.pass_time(10.0)
    found = world.begin()
    assert (found.probe, found.lane.key.position) == (Probe.QUOTA, 0)


def test_whether_another_key_could_take_over() -> None:
    """In the order, beside it in its project, spare or passed over; not itself, and nobody while the model is ill."""
    world = World(keys=2)
    assert world.pool.has_another(world.lane(0))
    world.call_on(1, quota(300.0))
    assert not world.pool.has_another(world.lane(0))
    assert world.pool.has_another(world.lane(1))
    together = World(keys=2, projects={0: "p", 1: "p"})
    assert together.pool.has_another(together.lane(0))
    together.end(together.begin_on(1), DEAD)
    assert not together.pool.has_another(together.lane(0))
    spare = World(keys=2, pool_size=1)
    assert spare.pool.has_another(spare.lane(0))
    assert spare.pool.has_another(spare.lane(1))
    spare.call_on(0, quota(300.0))
    assert not spare.pool.has_another(spare.lane(1))
    late = World(keys=2)
    late.begin_on(0)
    late.pass_time(13.0)
    late.call(OK)
    assert late.pool.has_another(late.lane(1))
    assert late.pool.has_another(late.lane(0))
    late.call_on(1, quota(300.0))
    assert not late.pool.has_another(late.lane(0))
    ill = World(keys=3)
    while not ill.pool.breaker.is_open:
        ill.call(OVERLOADED)
    assert not ill.pool.has_another(ill.lane(0))


def test_the_short_way_is_due_every_second() -> None:
    """And at once when something was found to be out of the ordinary."""
    world = World(keys=3, config=STILL)
    standing = world.pool.standing
    world.policy.begin(MODEL, FIRST, world.now)
    assert standing.due == world.now + 1.0
    world.eject(0)
    world.pass_time(1.0)
    world.policy.begin(MODEL, FIRST, world.now)
    assert standing.due == world.now + 1.0
    world.pass_time(29.0)
    world.policy.begin(MODEL, Wishes(may_probe=False), world.now)
    assert standing.due == float("-inf")
    assert standing.has_probes


def test_a_healed_key_starts_at_the_mean_of_the_live_ones() -> None:
    """Those that are out do not count; whoever is above the mean comes down to it."""
    world = World(keys=4, config=PoolConfig(open_jitter=0.0, peer_factor=0.0, usage_half_life_s=float("inf")))
    world.call_on(3, *[OK] * 6)
    world.call_on(2, *[OK] * 3)
    world.eject(0)
    world.eject(1)
    world.pass_time(30.0)
    probe = world.begin()
    world.end(probe, OK)
    usages = [world.pool.usage(project, world.now) for project in world.pool.projects]
    assert usages[probe.lane.key.position] == pytest.approx((usages[2] + usages[3]) / 2)
