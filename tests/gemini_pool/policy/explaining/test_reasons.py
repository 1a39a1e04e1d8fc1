"""Why a call went where it went: the score, the runner-up and who was passed over."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, OK, World, quota
from utils.gemini_pool.policy import Kind, Outcome, PoolConfig
from utils.gemini_pool.policy.explaining.history import Choice
from utils.gemini_pool.policy.leases import Lease
from utils.gemini_pool.policy.selection import FIRST, Probe


def chosen(world: World) -> Choice:
    """Begin a call and give the reason, which there must be."""
    choice = world.policy.why(world.begin())
    assert choice is not None
    return choice


def test_a_choice_that_says_nothing_of_the_others_says_nothing() -> None:
    """What is left out is nothing."""
    choice = Choice(0.5, 2)
    assert (choice.next_key, choice.next_score) == (None, 0.0)
    assert (choice.dead, choice.ejected, choice.overdue, choice.closed) == (0, 0, 0, 0)


def test_the_score_is_that_of_the_formula_before_the_call() -> None:
    """Unused keys have 1, and the next is as good; after a round all have 1/2."""
    world = World(keys=3)
    first = chosen(world)
    assert (first.score, first.candidates, first.next_key, first.next_score) == (1.0, 3, "Key #2", 1.0)
    second = chosen(world)
    assert (second.score, second.next_key, second.next_score) == (1.0, "Key #3", 1.0)
    third = chosen(world)
    assert (third.score, third.next_key, third.next_score) == (1.0, "Key #1", 0.5)
    assert chosen(world).score == pytest.approx(0.5)


def test_scores_fade_with_usage_and_errors() -> None:
    """Used three times, with an error of 1/8 from one fault of three calls; five minutes on the usage is half."""
    world = World(keys=2, config=PoolConfig(error_half_life_s=float("inf"), max_ejected_share=0.0))
    world.call_on(0, FAULT, OK, OK)
    world.call_on(1, OK, OK, OK, OK, OK)
    world.pass_time(300.0)
    lease = world.begin_on(0)
    choice = world.policy.why(lease)
    assert choice is not None
    assert choice.score == pytest.approx((1 - 1 / 8) / 2.5)
    assert choice.next_key == "Key #2"
    assert choice.next_score == pytest.approx(1 / 3.5)
    other = world.policy.why(world.begin_on(1))
    assert other is not None
    assert other.score == pytest.approx(1 / 3.5)
    assert other.next_key == "Key #1"
    assert other.next_score == pytest.approx((1 - 1 / 8) / 3.5)


def test_who_was_passed_over_is_counted() -> None:
    """Dead, ejected, overdue and closed, each by itself."""
    world = World(keys=9, config=PoolConfig(peer_factor=0.0))
    world.begin_on(8)
    world.call_on(0, DEAD)
    for key in (1, 2):
        world.eject(key)
    for key in (3, 4, 5):
        world.call_on(key, quota(300.0))
    world.pass_time(13.0)
    choice = chosen(world)
    assert (choice.dead, choice.ejected, choice.overdue, choice.closed) == (1, 2, 1, 3)
    assert choice.candidates == 2


def test_a_probe_was_not_chosen_by_score() -> None:
    """Nor was a key that served because nobody else could."""
    world = World(keys=2)
    world.eject(0)
    world.pass_time(30.0)
    probe = world.begin()
    assert probe.probe is Probe.GATE
    assert world.policy.why(probe) is None
    lonely = World(keys=2)
    slow = lonely.begin_on(0)
    lonely.call_on(1, quota(300.0))
    lonely.pass_time(13.0)
    last = lonely.begin()
    assert last.lane is slow.lane
    assert lonely.policy.why(last) is None


def test_a_single_key_has_no_runner_up() -> None:
    """It is the only candidate."""
    choice = chosen(World(keys=1))
    assert (choice.score, choice.candidates, choice.next_key, choice.next_score) == (1.0, 1, None, 0.0)


def test_a_probe_of_a_project_that_serves_was_not_chosen_by_score_either() -> None:
    """Another key of the project stands in the order; the probe went to this one to find out about it."""
    world = World(keys=3, projects={0: "p", 1: "p"}, config=PoolConfig(open_jitter=0.0))
    world.eject(0)
    world.pass_time(30.0)
    probe = world.begin()
    assert (probe.probe, probe.lane.key.position) == (Probe.GATE, 0)
    assert probe.project.entry is not None
    assert world.policy.why(probe) is None


def test_a_project_that_is_closed_is_never_told_as_the_next() -> None:
    """Though its place came before the others'."""
    world = World(keys=3)
    for _ in range(3):
        world.call(OK)
    held = world.begin_on(1)
    world.call(OK)
    world.end(held, quota(300.0))
    assert [choice.next_key for choice in (chosen(world), chosen(world), chosen(world))].count("Key #2") == 0


def told_by_turn(world: World) -> Choice:
    """Begin a call the ordinary way and give the reason, which there must be."""
    lease = world.policy.begin(MODEL, FIRST, world.now)
    assert lease is not None
    choice = world.policy.why(lease)
    assert choice is not None
    return choice


def ordinary(keys: int, calls: int) -> tuple[World, list[Lease]]:
    """Give a world that forgets nothing, and calls under way that took turns."""
    world = World(keys=keys, config=PoolConfig(usage_half_life_s=float("inf"), busy_share=1.0))
    leases = [world.policy.begin(MODEL, FIRST, world.now) for _ in range(calls)]
    return world, [lease for lease in leases if lease is not None]


def test_the_next_may_be_one_whose_call_was_taken_back() -> None:
    """Two of three calls of the second round were cancelled: after the one of these comes the other."""
    world, leases = ordinary(3, 6)
    for lease in leases[4:]:
        world.end(lease, CANCELLED)
    choice = told_by_turn(world)
    assert (choice.score, choice.next_key, choice.next_score) == (0.5, "Key #3", 0.5)


def test_the_next_may_be_one_of_those_that_take_turns() -> None:
    """One that has sent three requests more than it had calls is out of step, and comes after them."""
    world, leases = ordinary(4, 6)
    for lease, requests in ((leases[2], 5), (leases[3], 3)):
        world.end(lease, Outcome(Kind.OK, requests=requests))
    choice = told_by_turn(world)
    assert choice.score == pytest.approx(1 / 3)
    assert choice.next_key == "Key #2"
    assert choice.next_score == pytest.approx(1 / 3)


def test_where_nothing_is_kept_no_choice_is_reckoned() -> None:
    """Nobody could ask for it; calls begin as ever."""
    world = World(keys=2, config=PoolConfig(records_kept=0))
    assert world.policy.why(world.begin()) is None
    assert world.policy.why(world.begin()) is None
    assert [lane.in_flight for lane in world.pool.lanes] == [1, 1]
