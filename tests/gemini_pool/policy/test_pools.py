"""The pool of one model: the short way through it, what the end of a call changes, and keys that come and go."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, OK, TIMEOUT, World, quota
from tests.gemini_pool.policy.test_books import EvenWorld
from utils.gemini_pool.policy import KeySpec, Kind, Outcome, PoolConfig
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.outcome import LimitNamed, Measure, Window
from utils.gemini_pool.policy.score import score
from utils.gemini_pool.policy.selection import FIRST, Probe

#: Nobody is ejected, and one fault weighs a lot.
FAULTY = PoolConfig(max_ejected_share=0.0, error_prior=1.0, busy_min_calls=5.0)
TWICE = Outcome(Kind.OK, requests=2)
THRICE = Outcome(Kind.OK, requests=3)


def first(world: World) -> Lease:
    """Begin a call as a new question does, which goes the short way where there is one."""
    lease = world.policy.begin(MODEL, FIRST, world.now)
    assert lease is not None
    return lease


def taken(world: World, calls: int) -> list[int]:
    """Begin calls of new questions; answers who took them."""
    return [first(world).lane.key.position for _ in range(calls)]


def specs(*numbers: int, projects: dict[int, str] | None = None) -> list[KeySpec]:
    """Give the configuration of keys."""
    return [KeySpec(f"f{number}", None, (projects or {}).get(number)) for number in numbers]


def used(world: World, key: int) -> int:
    """How many requests the instances of a key have sent."""
    return sum(slot.usage for slot in world.lane(key).slots)


# Choosing


def test_a_new_question_passes_a_project_over_that_drew_most() -> None:
    """Of 24 calls 20 were its: the other one serves, though its four were faults."""
    world = World(FAULTY, keys=2)
    world.call_on(0, *[OK] * 20)
    world.call_on(1, *[FAULT] * 4)
    assert taken(world, 1) == [1]


def test_a_new_question_leaves_a_key_with_errors_out_of_its_turns() -> None:
    """Four faults of four calls are an error of 0.8: with dice that show the middle its turn is passed over."""
    world = EvenWorld(FAULTY, keys=2, projects={0: "p", 1: "p"})
    world.call_on(0, *[FAULT] * 4)
    assert taken(world, 4) == [1, 1, 1, 1]


def test_in_the_plain_form_the_first_in_position_goes_among_equals() -> None:
    """Whoever was used longest ago."""
    world = World(PoolConfig.plain(), keys=3)
    for key in (2, 1, 0):
        world.call_on(key, OK)
    assert taken(world, 6) == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("plain", [False, True])
def test_the_best_score_is_taken_while_errors_stand(plain: bool) -> None:
    """(1 / usage) x (1 - error), at every step, whatever the form."""
    config = replace(PoolConfig.plain() if plain else PoolConfig(), max_ejected_share=0.0, busy_min_calls=1000.0)
    world = World(config, keys=3)
    world.call_on(0, FAULT, FAULT)
    world.call_on(1, OK, FAULT)
    world.call_on(2, OK)
    for _ in range(25):
        scores = [
            score(world.pool.usage(lane.project, world.now), lane.rate.error(world.now)) for lane in world.pool.lanes
        ]
        assert scores[taken(world, 1)[0]] == pytest.approx(max(scores))


def test_who_gave_its_only_instance_away_is_a_spare() -> None:
    """Two instances over four keys: when both keys that have one are closed, a third gets one, and keeps it."""
    world = World(keys=4, pool_size=2)
    for key in (0, 1):
        world.call_on(key, quota(60.0))
    drafted = world.call(OK)
    assert drafted in {2, 3}
    assert [bool(world.lane(key).slots) for key in (0, 1, drafted)] == [False, True, True]
    world.pass_time(61.0)
    world.call_on(1, OK)
    assert set(taken(world, 8)) == {1, drafted}


# The end of a call


def test_storage_is_told_once_of_calls_that_ended() -> None:
    """One row for both of a key, not one for each and not an empty one."""
    world = World(keys=1)
    leases = [first(world), first(world)]
    assert [row.requests for row in world.policy.ledger.drain()] == [2]
    for lease in leases:
        world.end(lease, OK)
    assert [(row.requests, row.timed) for row in world.policy.ledger.drain()] == [(0, 2)]


@pytest.mark.parametrize(("outcome", "requests"), [(OK, 1), (TWICE, 2), (THRICE, 3), (Outcome(Kind.FAULT), 1)])
def test_every_request_of_an_answer_counts(outcome: Outcome, requests: int) -> None:
    """In the figures, in the usage, and at the instance that sent them: the second of the key."""
    world = World(keys=1, pool_size=2)
    first(world)
    world.end(first(world), outcome)
    assert world.lane(0).counts.requests == 1 + requests
    assert [slot.usage for slot in world.pool.instances.slots] == [1, requests]
    assert world.pool.usage(world.pool.projects[0], world.now) == pytest.approx(1.0 + 1.0 + requests)


def test_an_answer_after_a_day_is_counted() -> None:
    """However many half-lives have passed since anything was counted."""
    world = World(keys=1)
    lease = first(world)
    world.pass_time(1_500 * 60.0)
    world.end(lease, OK)
    assert world.lane(0).counts.timed == 1
    assert world.lane(0).counts.seconds == 90_000.0


def test_the_answer_to_a_probe_opens_a_gate_that_was_shut_before_a_restart() -> None:
    """Though nothing is known of its faults any more."""
    before = World(PoolConfig(open_jitter=0.0), keys=2)
    before.eject(0)
    world = World(keys=2)
    world.policy.restore({}, before.policy.snapshot())
    assert world.state(0) is GateState.OPEN
    world.pass_time(30.0)
    probe = first(world)
    assert (probe.probe, probe.lane.key.position) == (Probe.GATE, 0)
    world.end(probe, OK)
    assert world.state(0) is GateState.LIVE
    assert not world.pool.health.ejected
    assert set(taken(world, 4)) == {0, 1}


def test_an_answer_ends_the_doubt_about_a_quota() -> None:
    """After a refusal that nobody explained one call goes at a time, until one is answered."""
    world = World(keys=1)
    world.call(quota(1.0))
    world.pass_time(2.0)
    world.end(first(world), OK)
    assert taken(world, 3) == [0, 0, 0]


def test_a_project_that_only_the_end_of_a_call_can_open_opens_with_it() -> None:
    """Also where the presumption that closed it is over by then, and somebody has looked at its limits."""
    world = World(PoolConfig(believe_limit_s=100.0), keys=2)
    named = LimitNamed(Measure.TOKENS_PER_MINUTE, 300)
    world.call_on(0, Outcome(Kind.OK, input_tokens=300))
    world.call_on(1, Outcome(Kind.QUOTA, retry_after=500.0, window=Window.MINUTE, limits=(named,)))
    alone = first(world)
    assert world.try_begin() is None
    world.pass_time(101.0)
    assert world.lane(0).project.quota.day_limit(world.now) is None
    world.end(alone, OK)
    assert taken(world, 2) == [0, 0]


@pytest.mark.parametrize(("outcome", "due"), [(OK, False), (DEAD, False), (FAULT, False), (CANCELLED, True)])
def test_a_probe_is_due_again_only_if_the_last_found_nothing_out(outcome: Outcome, due: bool) -> None:
    """An answer opens the gate, a fault shuts it again, and a dead key is not asked."""
    world = World(PoolConfig(open_jitter=0.0), keys=3)
    world.eject(0)
    world.pass_time(30.0)
    probe = first(world)
    assert probe.probe is Probe.GATE
    world.end(probe, outcome)
    assert world.pool.probe_due(world.now) is due


def test_a_call_is_overdue_at_its_very_time() -> None:
    """At 1.5 times the usual p95 of eight seconds, and not a moment before."""
    for waited_s, overdue in ((11.99, 0), (12.0, 1)):
        world = World(keys=2)
        world.begin_on(0)
        world.pass_time(waited_s)
        world.call(OK, 0)
        assert world.lane(0).overdue == overdue


def test_an_overdue_call_that_is_heard_later_ends_as_an_overdue_one() -> None:
    """Its key is first choice again when it ends, not before."""
    world = World(keys=2)
    late = world.begin_on(0)
    world.pass_time(13.0)
    world.call(OK)
    world.policy.hear(late)
    assert world.lane(0).overdue == 1
    world.end(late, OK)
    assert world.lane(0).overdue == 0
    assert set(taken(world, 4)) == {0, 1}


def test_forgiveness_takes_the_error_out_of_the_order() -> None:
    """Four calls of which one was a fault stand behind five good ones; with the fault forgiven before them."""
    for forgiven, best in ((False, 1), (True, 0)):
        world = World(FAULTY, keys=2)
        world.call_on(0, *[OK] * 3)
        lease = world.begin_on(0)
        world.end(lease, TIMEOUT)
        world.call_on(1, *[OK] * 5)
        if forgiven:
            world.policy.forgive(lease, world.now)
        assert taken(world, 1) == [best]


def test_a_healed_key_takes_its_turn_behind_the_others() -> None:
    """It starts at their mean usage, and they were there before."""
    world = World(PoolConfig(open_jitter=0.0, usage_half_life_s=math.inf), keys=3)
    world.eject(0)
    for key in (1, 2):
        world.call_on(key, *[OK] * 6)
    world.pass_time(30.0)
    probe = first(world)
    assert probe.probe is Probe.GATE
    world.end(probe, OK)
    assert taken(world, 3) == [1, 2, 0]


# Projects that are one


def test_who_is_the_last_of_two_that_were_joined_has_nobody_beside_it() -> None:
    """The project that was taken over is none any more."""
    world = World(keys=2)
    world.pool.join(world.policy.keys[0].project, world.policy.keys[1].project, world.now)
    assert world.pool.has_another(world.lane(0))
    world.call_on(1, DEAD)
    assert not world.pool.has_another(world.lane(0))


@pytest.mark.parametrize("left", [False, True])
def test_calls_that_add_up_to_the_limit_are_of_one_project(left: bool) -> None:
    """Also those of a key that was never refused, unless it is not configured any more."""
    world = World(keys=3)
    world.call_on(1, OK)
    world.pass_time(5.0)
    world.call_on(0, OK, OK)
    world.call_on(1, OK)
    world.call_on(2, OK)
    world.pass_time(20.0)
    if left:
        world.policy.reload_keys(specs(0, 2))
    named = LimitNamed(Measure.REQUESTS_PER_MINUTE, 4)
    world.call_on(0, Outcome(Kind.QUOTA, retry_after=35.01, window=Window.MINUTE, limits=(named,)))
    assert len(world.policy.take_findings()) == (0 if left else 1)
    assert [[lane.key.fingerprint for lane in project.lanes] for project in world.pool.projects] == (
        [["f0"], ["f2"]] if left else [["f0", "f1"], ["f2"]]
    )


# Keys that come and go


def test_projects_are_as_the_new_configuration_says() -> None:
    """A key that stays but belongs elsewhere now is another project's; lanes stand by position."""
    world = World(keys=4, projects={0: "p", 1: "p"})
    world.call(OK)
    world.policy.reload_keys(specs(3, 1, 0, 2, projects={0: "p", 1: "p", 2: "q", 3: "q"}))
    grouped = {project.name: [lane.key.fingerprint for lane in project.lanes] for project in world.pool.projects}
    assert grouped == {"q": ["f3", "f2"], "p": ["f1", "f0"]}
    assert [lane.key.fingerprint for lane in world.pool.lanes] == ["f3", "f1", "f0", "f2"]


def test_a_key_that_left_its_project_to_others_serves_no_more() -> None:
    """The others of its project do; it takes no turn of theirs."""
    world = World(keys=3, projects=dict.fromkeys(range(3), "p"))
    world.call(OK)
    world.policy.reload_keys(specs(0, 2, projects=dict.fromkeys(range(3), "p")))
    leases = [first(world) for _ in range(4)]
    assert {lease.fingerprint for lease in leases} == {"f0", "f2"}
    assert world.pool.health.alive == 2


def test_the_usage_of_the_instances_is_that_of_the_keys_that_are_configured() -> None:
    """What a key has sent before is shown with it, also where it moved to another position."""
    world = World(keys=3)
    for key, calls in ((0, 2), (1, 3), (2, 4)):
        world.call_on(key, *[OK] * calls)
    world.policy.reload_keys(specs(2, 7, 0))
    assert [used(world, key) for key in range(3)] == [4, 0, 2]


def test_a_new_key_takes_its_turn_behind_the_others() -> None:
    """At their mean usage, and they were there before."""
    world = World(PoolConfig(usage_half_life_s=math.inf), keys=2)
    for key in (0, 1):
        world.call_on(key, *[OK] * 5)
    world.policy.reload_keys(specs(0, 1, 2))
    assert taken(world, 3) == [0, 1, 2]


def test_a_project_that_left_is_no_part_of_what_was_drawn() -> None:
    """Of what is left the first key has drawn most: it is busy now, and was not before."""
    world = World(keys=4)
    for key, calls in ((0, 12), (1, 3), (2, 3), (3, 20)):
        world.call_on(key, *[OK] * calls)
    was_busy = world.pool.standing.is_busy(world.lane(0).project, world.now)
    world.policy.reload_keys(specs(0, 1, 2))
    assert (was_busy, world.pool.standing.is_busy(world.lane(0).project, world.now)) == (False, True)


def test_faults_of_a_key_that_left_do_not_make_others_look_better() -> None:
    """It was as bad as the next one, which is the only bad one now and is ejected."""
    world = World(keys=4)
    world.eject(3)
    world.policy.reload_keys(specs(0, 1, 2))
    assert not world.pool.health.ejected
    world.eject(0)


def test_further_requests_count_for_a_key_that_came_back() -> None:
    """Its instance was dropped with it: the one it has now has sent them, and nobody else's."""
    world = World(keys=7)
    lease = world.begin_on(6)
    world.policy.reload_keys(specs(*range(6)))
    world.policy.reload_keys(specs(*range(7)))
    world.end(lease, THRICE)
    assert [used(world, key) for key in range(7)] == [0, 0, 0, 0, 0, 0, 3]
    assert world.lane(6).counts.requests == 3
