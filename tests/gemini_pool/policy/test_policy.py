"""The pools together: resets, restarts, calls that outlive their pool, deaths seen by every model, joined projects."""

from __future__ import annotations

import dataclasses

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, OK, OVERLOADED, TIMEOUT, World, quota
from utils.gemini_pool.policy import KeySpec, Kind, Outcome, Policy, PoolConfig
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.quota.texts import LimitNamed, Measure
from utils.gemini_pool.policy.records import Counts
from utils.gemini_pool.policy.selection import Probe, Wishes
from utils.gemini_pool.policy.waiting.slots import NO_KEY

OTHER = "other"
ANSWER = Outcome(Kind.OK, requests=3, input_tokens=4)


def specs(world: World) -> list[KeySpec]:
    """Give the keys as they are configured."""
    return [key.spec for key in world.policy.keys]


def begin(world: World, model: str, key: int) -> Lease:
    """Begin a call of a model on this key."""
    others = frozenset(range(len(world.policy.keys))) - {key}
    lease = world.policy.begin(model, Wishes(others), world.now)
    assert lease is not None
    assert lease.lane.key.position == key
    return lease


def usages(world: World, model: str = MODEL) -> list[int]:
    """Give the requests of a model's instances."""
    return [slot.usage for slot in world.policy.pool(model).instances.slots]


def test_a_pool_has_an_instance_for_every_key_and_five_at_least() -> None:
    """Unless its size is given."""
    assert len(World(keys=3).pool.instances.slots) == 5
    assert len(World(keys=7).pool.instances.slots) == 7
    assert len(World(keys=7, pool_size=2).pool.instances.slots) == 2


def test_a_pool_is_made_once() -> None:
    """By the first who asks, and kept."""
    world = World()
    assert dict(world.policy.pools) == {}
    assert world.policy.pool(MODEL) is world.policy.pool(MODEL)
    assert list(world.policy.pools) == [MODEL]
    assert world.policy.pools[MODEL].model == MODEL


def test_without_keys_nothing_is_begun_and_nothing_made() -> None:
    """Every question about a key has an answer that says so."""
    world = World(keys=0)
    assert world.policy.begin(MODEL, Wishes(), world.now) is None
    assert world.policy.slot(MODEL, 1, world.now) == NO_KEY
    assert world.policy.next_slot(MODEL, world.now) == NO_KEY
    assert world.policy.places_until(MODEL, world.now + 10.0, world.now) == 0
    assert world.policy.peek(MODEL) == -1
    assert dict(world.policy.pools) == {}
    world.policy.reset_pools([])
    assert dict(world.policy.pools) == {}


def test_a_death_is_seen_by_every_model() -> None:
    """The key is out everywhere, and counts no longer among those that may be ejected."""
    world = World(keys=3)
    world.policy.pool(OTHER)
    world.call_on(0, DEAD)
    for model in (MODEL, OTHER):
        pool = world.policy.pool(model)
        assert pool.health.alive == 2
        assert {world.policy.peek(model) for _ in range(4)} <= {1, 2, 4}
    leases = [world.policy.begin(OTHER, Wishes(), world.now) for _ in range(6)]
    assert {lease.lane.key.position for lease in leases if lease is not None} == {1, 2}
    assert world.policy.keys[0].dead is not None
    assert (world.policy.keys[0].dead.reason, world.policy.keys[0].dead.since) == ("API_KEY_INVALID", world.wall)


def test_the_first_reason_of_a_death_stands() -> None:
    """A call that was under way and says the same later changes nothing."""
    world = World(keys=3)
    first, second = world.begin_on(0), world.begin_on(0)
    world.end(first, DEAD)
    world.pass_time(5.0)
    world.end(second, Outcome(Kind.KEY_DEAD, detail="later"))
    dead = world.policy.keys[0].dead
    assert dead is not None
    assert (dead.reason, dead.since) == ("API_KEY_INVALID", world.wall - 5.0)
    assert world.pool.health.alive == 2


def test_a_key_that_is_alive_again_serves_every_model() -> None:
    """Known by its fingerprint; one that is not dead, or not there, changes nothing."""
    world = World(keys=3)
    world.policy.pool(OTHER)
    world.call_on(1, DEAD)
    assert not world.policy.revive("f0")
    assert not world.policy.revive("unknown")
    assert world.policy.revive("f1")
    assert not world.policy.revive("f1")
    for model in (MODEL, OTHER):
        assert world.policy.pool(model).health.alive == 3
        leases = [world.policy.begin(model, Wishes(), world.now) for _ in range(3)]
        assert sorted(lease.lane.key.position for lease in leases if lease is not None) == [0, 1, 2]


def test_a_call_that_outlives_its_pool_is_counted_once_and_acts_on_nothing() -> None:
    """After a reset an old call's figures count, and its fault opens nothing in the new pool."""
    world = World(keys=2)
    old = world.begin_on(0)
    world.policy.reset_pools(specs(world))
    before = world.policy.pool(MODEL)
    assert old.lane.pool is not before
    world.pass_time(2.0)
    world.end(old, ANSWER)
    world.end(old, ANSWER)
    counts = before.lanes[0].counts
    assert (counts.requests, counts.timed, counts.seconds, counts.input_tokens) == (3, 1, 2.0, 4)
    assert sum(usages(world)) == 3
    rows = world.policy.ledger.drain()
    assert [(row.requests, row.timed) for row in rows] == [(3, 1)]
    assert before.lanes[0].in_flight == 0
    assert before.lanes[0].rate.calls(world.now) == 0.0


def test_a_call_of_a_former_pool_buries_nobody() -> None:
    """What it found out is of the old keys: an operator gave them another try meanwhile."""
    world = World(keys=2)
    old = world.begin_on(0)
    world.policy.reset_pools(specs(world))
    world.end(old, DEAD)
    assert world.policy.keys[0].dead is None
    world.policy.forgive(old, world.now)
    world.policy.hear(old)
    assert world.state(0) is GateState.LIVE


def test_what_was_asked_before_the_counts_were_emptied_is_not_counted() -> None:
    """Neither in the present pool nor after a reset of the pool."""
    world = World(keys=2)
    here, gone = world.begin_on(0), world.begin_on(1)
    world.policy.ledger.drain()
    world.policy.reset_counts()
    assert usages(world) == [0] * 5
    world.end(here, ANSWER)
    world.policy.reset_pools(specs(world))
    world.end(gone, ANSWER)
    nothing = dataclasses.astuple(Counts())
    assert all(dataclasses.astuple(lane.counts) == nothing for lane in world.pool.lanes)
    assert usages(world) == [0] * 5
    new = world.begin_on(0)
    world.end(new, ANSWER)
    assert world.lane(0).counts.requests == 3
    assert sum(usages(world)) == 3


def test_a_reset_of_one_model_leaves_the_others() -> None:
    """Health of that model starts anew; counts stay; a dead key gets another try at every model."""
    world = World(keys=4)
    for _ in range(3):
        world.end(begin(world, OTHER, 2), FAULT)
    world.eject(1)
    world.call_on(0, DEAD)
    world.policy.reset_pools(specs(world), MODEL)
    assert world.state(1) is GateState.LIVE
    assert world.policy.pool(OTHER).lanes[2].gate.state(world.now) is GateState.OPEN
    assert world.lane(1).counts.requests == 3
    assert usages(world)[1] == 3
    assert world.policy.keys[0].dead is None
    assert world.policy.pool(OTHER).health.alive == 4
    assert begin(world, OTHER, 0).lane.key.position == 0


def test_changed_keys_make_every_pool_anew() -> None:
    """Whatever model was named; the keys get the positions they have now, and their counts stay theirs."""
    world = World(keys=2)
    world.call_on(1, OK)
    world.end(begin(world, OTHER, 0), OK)
    world.policy.reset_pools([KeySpec("f1"), KeySpec("new")], MODEL)
    assert [key.fingerprint for key in world.policy.keys] == ["f1", "new"]
    assert sorted(world.policy.pools) == [MODEL, OTHER]
    for model in (MODEL, OTHER):
        assert [lane.key.fingerprint for lane in world.policy.pool(model).lanes] == ["f1", "new"]
    assert [lane.counts.requests for lane in world.pool.lanes] == [1, 0]


def test_a_call_under_way_at_a_key_that_was_taken_out_is_still_counted() -> None:
    """For storage; no instance of the new pool has it."""
    world = World(keys=2)
    old = world.begin_on(0)
    world.policy.reset_pools([KeySpec("f1")])
    world.policy.ledger.drain()
    world.end(old, ANSWER)
    (row,) = world.policy.ledger.drain()
    assert (row.fingerprint, row.requests, row.timed) == ("f0", 2, 1)
    assert sum(usages(world)) == 0


def test_a_restart_takes_up_counts_deaths_and_closures() -> None:
    """Only of keys that are configured; what storage had told is not told again."""
    before = World(keys=3, config=PoolConfig(open_jitter=0.0))
    before.call_on(0, DEAD)
    before.call_on(1, quota(50.0))
    before.eject(2)
    documents = before.policy.snapshot()
    totals = {(f"f{key}", MODEL): before.lane(key).counts for key in range(3)}
    after = World(keys=3, now=5.0, wall=before.wall + 10.0)
    after.policy.restore({**totals, ("unknown", OTHER): Counts(requests=7)}, documents)
    assert list(after.policy.pools) == [MODEL]
    assert [lane.counts.requests for lane in after.pool.lanes] == [1, 1, 3]
    assert usages(after)[:3] == [1, 1, 3]
    assert after.policy.keys[0].dead is not None
    assert after.state(2) is GateState.OPEN
    assert after.lane(2).gate.open_until == 5.0 + 20.0
    assert after.lane(2).gate.ejections == 1
    assert after.lane(1).project.quota.until == pytest.approx(5.0 + 40.0)
    assert after.policy.ledger.drain() == []
    assert after.pool.health.alive == 2
    assert after.pool.health.ejected == {after.lane(2)}


def test_documents_are_of_no_use_after_a_reset() -> None:
    """A model first asked for later starts anew as well."""
    before = World(keys=2)
    before.eject(0)
    after = World(keys=2)
    after.policy.restore({}, before.policy.snapshot())
    after.policy.reset_pools(specs(after))
    assert after.state(0) is GateState.LIVE


def test_rotation_is_due_every_five_minutes() -> None:
    """Not before; the next counts from the last."""
    world = World()
    world.call(OK)
    assert world.policy.next_event_at() == world.now + 300.0
    world.pass_time(299.9)
    assert world.policy.rotate_if_due() == []
    world.pass_time(0.2)
    assert [report.label for report in world.policy.rotate_if_due()] == ["Key #1", "Key #2", "Key #3", "Key #4"]
    assert world.policy.next_event_at() == world.now + 300.0
    assert world.policy.rotate_if_due() == []


def test_peeking_changes_nothing_and_shows_who_is_next() -> None:
    """However often it is done; with every key dead it is -1."""
    world = World(keys=2)
    for _ in range(6):
        shown = {world.policy.peek(MODEL) for _ in range(3)}
        assert len(shown) == 1
        lease = world.begin()
        assert lease.slot_index in {shown.pop(), 2, 3, 4}
        world.end(lease, OK)
    for key in (0, 1):
        world.call_on(key, DEAD)
    assert world.policy.peek(MODEL) == -1


def test_peeking_while_nothing_can_serve_names_a_living_key() -> None:
    """Both projects are closed: the first key that is not dead stands for those who will come back."""
    world = World(keys=3)
    world.call_on(0, DEAD)
    for key in (1, 2):
        world.call_on(key, quota(60.0))
    assert world.policy.peek(MODEL) == 1


def joined() -> tuple[World, Policy]:
    """Give three keys of which the last two were found to share a project, after some calls at two models."""
    world = World(keys=3)
    for key, calls in ((0, 2), (1, 3), (2, 4)):
        world.call_on(key, *[OK] * calls)
    world.policy.pool(OTHER)
    on_found = world.pool.roster.on_found
    assert on_found is not None
    under_way = world.begin_on(2)
    on_found(world.policy.keys[1].project, world.policy.keys[2].project)
    world.end(under_way, OK)
    return world, world.policy


def test_two_projects_that_are_one_count_as_one_for_every_model() -> None:
    """Their usage adds up, their keys take turns, and a call under way ends where it began."""
    world, policy = joined()
    for model in (MODEL, OTHER):
        assert [[lane.key.position for lane in project.lanes] for project in policy.pool(model).projects] == [
            [0],
            [1, 2],
        ]
    first, both = world.pool.projects
    assert world.pool.usage(first, world.now) == pytest.approx(3.0)
    assert world.pool.usage(both, world.now) == pytest.approx(9.0)
    assert (both.in_flight, world.lane(2).in_flight) == (0, 0)
    assert world.lane(1).project is world.lane(2).project is both
    taken = [world.call(OK) for _ in range(18)]
    assert taken[:6] == [0] * 6
    assert taken.count(1) == taken.count(2) == (18 - taken.count(0)) / 2


def test_what_was_found_is_told_once_and_kept() -> None:
    """A sentence for the log; after a restart or a reset with other keys the two are still together."""
    world, policy = joined()
    (sentence,) = policy.take_findings()
    assert sentence == "Key #2, Key #3 share one quota project; from now on they count as one"
    assert policy.take_findings() == []
    again = World(keys=3)
    again.policy.restore({}, policy.snapshot())
    assert len(again.pool.projects) == 2
    policy.reset_pools([*specs(world), KeySpec("more")])
    assert [[lane.key.position for lane in project.lanes] for project in world.pool.projects] == [[0], [1, 2], [3]]


def test_joining_what_is_not_there_changes_nothing() -> None:
    """A model made later knows one project already."""
    world = World(keys=2)
    world.pool.join("nobody", world.policy.keys[0].project, world.now)
    world.pool.join(world.policy.keys[0].project, "nobody", world.now)
    assert [len(project.lanes) for project in world.pool.projects] == [1, 1]


def test_the_walls_of_joined_projects_are_one() -> None:
    """A closure of the one that is taken over holds for both keys."""
    world = World(keys=3)
    world.call_on(2, quota(40.0))
    world.pool.join(world.policy.keys[1].project, world.policy.keys[2].project, world.now)
    assert {world.call(OK) for _ in range(5)} == {0}
    world.pass_time(40.0)
    assert {world.call(OK) for _ in range(9)} == {0, 1, 2}


def test_who_has_begun_to_answer_is_not_overdue() -> None:
    """A call that takes longer than 1.5 times the usual p95 takes its key out of the first choice, a heard one not."""
    world = World(keys=3)
    late, heard = world.begin_on(0), world.begin_on(1)
    world.policy.hear(heard)
    world.pass_time(11.9)
    assert {world.call(OK) for _ in range(6)} == {0, 1, 2}
    world.pass_time(1.1)
    assert {world.call(OK) for _ in range(6)} == {1, 2}
    assert [lane.overdue for lane in world.pool.lanes] == [1, 0, 0]
    assert world.pool.standing.passed_over == 1
    # it still serves when nobody else can
    assert world.call(OK, 1, 2) in {1, 2}
    for key in (1, 2):
        world.call_on(key, quota(600.0))
    assert world.call(OK) == 0
    world.end(late, OK)
    assert [lane.overdue for lane in world.pool.lanes] == [0, 0, 0]
    assert world.pool.standing.passed_over == 0


def test_hearing_of_an_ended_call_is_nothing() -> None:
    """It is not kept; the key is judged by its other calls."""
    world = World(keys=2)
    ended = world.begin_on(0)
    world.end(ended, OK)
    world.policy.hear(ended)
    world.begin_on(0)
    world.pass_time(13.0)
    world.call(OK)
    assert world.lane(0).overdue == 1


def test_two_late_calls_of_one_key_count_one_each() -> None:
    """It is first choice again when both are over."""
    world = World(keys=2)
    calls = [world.begin_on(0), world.begin_on(0)]
    world.pass_time(13.0)
    assert {world.call(OK) for _ in range(4)} == {1}
    for number, lease in enumerate(calls):
        assert world.lane(0).overdue == 2 - number
        world.end(lease, CANCELLED)
    assert {world.call(OK) for _ in range(6)} == {0, 1}


def test_forgiveness_lets_the_key_serve_at_once() -> None:
    """Its gate opens, and it stands in the order again."""
    world = World(keys=2)
    world.call_on(0, TIMEOUT)
    lease = world.begin_on(0)
    world.end(lease, TIMEOUT)
    assert {world.call(OK) for _ in range(4)} == {1}
    world.policy.forgive(lease, world.now)
    assert 0 in {world.call(OK) for _ in range(12)}


def shared_wall(wait: float) -> Outcome:
    """Give a refusal for a minute of ten requests, with a wait told to the nanosecond."""
    limits = (LimitNamed(Measure.REQUESTS_PER_MINUTE, 10),)
    return Outcome(Kind.QUOTA, retry_after=wait, window=Window.MINUTE, limits=limits)


@pytest.mark.parametrize(("second", "together"), [(40.0005, True), (35.0005, False)])
def test_keys_whose_walls_end_together_are_found_to_share_a_project(second: float, together: bool) -> None:
    """Through the pool, by their refusals alone; the wall of both is one from then on."""
    world = World(keys=3)
    world.call_on(0, OK)
    world.pass_time(10.0)
    world.call_on(0, shared_wall(50.0005))
    world.pass_time(10.0)
    world.call_on(1, shared_wall(second))
    assert len(world.policy.take_findings()) == together
    assert len(world.pool.projects) == (2 if together else 3)
    assert {world.call(OK) for _ in range(3)} == {2}


def test_a_probe_of_the_model_that_told_nothing_is_followed_at_once() -> None:
    """Its reader left; a fault makes the next wait twice as long."""
    world = World(keys=3)
    while not world.pool.breaker.is_open:
        world.call(OVERLOADED)
    world.pass_time(2.0)
    for outcome in (CANCELLED, FAULT):
        probe = world.begin()
        assert probe.probe is Probe.MODEL
        assert world.try_begin() is None
        world.end(probe, outcome)
    assert world.try_begin() is None
    world.pass_time(4.0)
    assert world.begin().probe is Probe.MODEL


def test_a_project_that_a_probe_opened_starts_at_the_mean() -> None:
    """An answer to the probe of a spent day; it would draw all requests otherwise."""
    world = World(keys=3, config=PoolConfig(usage_half_life_s=float("inf")))
    world.call_on(0, quota(5.0, Window.DAY))
    for _ in range(8):
        world.call(OK, 0)
    world.pass_time(3600.0)
    probe = world.begin()
    assert (probe.probe, probe.lane.key.position) == (Probe.QUOTA, 0)
    world.end(probe, OK)
    usages = [world.pool.usage(project, world.now) for project in world.pool.projects]
    assert usages == [5.0, 5.0, 5.0]


def test_the_plain_form_ranks_anew_with_every_answer() -> None:
    """An error that shrinks brings the key forward at once."""
    world = World(config=PoolConfig.plain(), keys=2)
    world.call_on(0, OK, OK, FAULT)
    world.call_on(1, *[OK] * 4)
    held = [world.begin_on(0) for _ in range(2)]
    for lease in held:
        world.end(lease, OK)
    entry = world.lane(0).project.entry
    assert entry is not None
    assert entry[0] == pytest.approx((5 + 1 / 5) / (1 - 1 / 5))
