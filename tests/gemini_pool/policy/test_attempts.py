"""The attempts of one request: what is free, what is paid for, and what is taken back."""

from __future__ import annotations

import random

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, OVERLOADED, TIMEOUT, World, quota
from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.attempts import Attempts
from utils.gemini_pool.policy.budget import RetryBudget


def make(most: int = 7, **constants: float) -> tuple[Attempts, RetryBudget]:
    """Give the attempts of a request asked at 10 on the clock, and the bucket that pays for them."""
    config = PoolConfig(**constants)  # type: ignore[arg-type]  # constants by name
    budget = RetryBudget(config)
    return Attempts(config, budget, random.Random(1), most=most, now=10.0), budget


def test_a_new_request_may_begin_at_once() -> None:
    """Nothing tried, nobody starved."""
    tries, _ = make()
    assert (tries.not_before, tries.tried, tries.starved, tries.overruns) == (10.0, frozenset(), False, 0)


def test_every_key_that_was_asked_is_remembered(world: World) -> None:
    """Whatever it answered, free or paid."""
    tries, _ = make()
    assert tries.failed(world.begin_on(2), quota(), 10.0)
    assert tries.failed(world.begin_on(0), FAULT, 10.0)
    assert tries.failed(world.begin_on(3), DEAD, 10.0)
    assert tries.tried == {0, 2, 3}


def test_free_moves_are_neither_counted_nor_paid(world: World) -> None:
    """A wall or a dead key says nothing of the request."""
    tries, budget = make(most=0)
    for outcome in (quota(), DEAD):
        assert tries.failed(world.begin_on(0), outcome, 10.0)
    assert budget.level == 100.0
    assert not tries.failed(world.begin_on(1), FAULT, 10.0)
    assert budget.level == 100.0


def test_as_many_are_paid_as_are_allowed(world: World) -> None:
    """Five each; the one too many is not paid."""
    tries, budget = make(most=2)
    told = [tries.failed(world.begin_on(key), FAULT, 10.0) for key in (0, 1, 2)]
    assert told == [True, True, False]
    assert budget.level == 90.0


def test_the_bucket_gets_back_what_it_gave_to_a_request_that_is_served(world: World) -> None:
    """All of it; a first-try answer adds one."""
    tries, budget = make()
    for key in (0, 1, 2):
        tries.failed(world.begin_on(key), FAULT, 10.0)
    assert budget.level == 85.0
    tries.answered()
    assert budget.level == 100.0
    budget.level = 50.0
    first, _ = make()
    first._budget = budget
    first.answered()
    assert budget.level == 51.0


def test_who_cannot_pay_waits_in_the_line_without_backoff(world: World) -> None:
    """It is starved, and its time is not moved."""
    tries, budget = make()
    budget.level = 4.9
    assert tries.failed(world.begin_on(0), FAULT, 20.0)
    assert tries.starved
    assert tries.not_before == 10.0
    assert budget.level == 4.9


def test_the_first_paid_move_is_made_at_once_and_the_next_waits(world: World) -> None:
    """Backoff begins with the second and counts from the end of the attempt."""
    tries, _ = make(backoff_first_s=8.0)
    tries.failed(world.begin_on(0), OVERLOADED, 20.0)
    assert tries.not_before == 20.0
    tries.failed(world.begin_on(1), OVERLOADED, 25.0)
    assert 25.0 < tries.not_before <= 33.0


@pytest.mark.parametrize("outcome", [FAULT, OVERLOADED, CANCELLED])
def test_only_what_ran_out_of_time_counts_as_that(world: World, outcome: object) -> None:
    """Other ends say nothing of the question's length, and do not come between two overruns."""
    tries, _ = make()
    first = world.begin_on(0)
    assert tries.overran(first, TIMEOUT) == ()
    assert tries.overran(world.begin_on(1), outcome) == ()  # type: ignore[arg-type]  # an outcome
    assert tries.overruns == 1
    second = world.begin_on(2)
    assert tries.overran(second, TIMEOUT) == (first, second)
    assert tries.overruns == 2


def test_two_overruns_of_one_key_are_the_keys(world: World) -> None:
    """Only another key that ran out of time, too, shows that it is the question."""
    tries, _ = make()
    first, again = world.begin_on(0), world.begin_on(0)
    assert tries.overran(first, TIMEOUT) == ()
    assert tries.overran(again, TIMEOUT) == ()
    other = world.begin_on(1)
    assert tries.overran(other, TIMEOUT) == (again, other)


def test_a_bucket_takes_the_price_to_the_last_and_never_overflows() -> None:
    """Just enough is enough."""
    budget = RetryBudget(PoolConfig(budget_size=10.0, budget_cost=5.0, budget_success=1.0))
    assert [budget.pay(), budget.pay(), budget.pay()] == [5.0, 5.0, None]
    assert budget.level == 0.0
    budget.answered(0.0)
    assert budget.level == 1.0
    budget.answered(0.5)
    assert budget.level == 1.5
    budget.answered(50.0)
    assert budget.level == 10.0


def test_an_answer_at_the_first_attempt_adds_what_the_configuration_says() -> None:
    """Three, where the bucket is told so: nothing was paid, so nothing is returned."""
    tries, budget = make(budget_success=3.0)
    budget.level = 50.0
    tries.answered()
    assert budget.level == 53.0


def test_a_second_call_is_paid_and_returned_like_a_move(world: World) -> None:
    """Five from the bucket, back with the answer; neither key is asked by a further attempt."""
    tries, budget = make()
    assert tries.hedged(world.begin_on(1), world.begin_on(3))
    assert (budget.level, tries.tried) == (95.0, frozenset({1, 3}))
    tries.answered()
    assert budget.level == 100.0


def test_a_second_call_is_remembered_beside_what_was_tried_before(world: World) -> None:
    """Each key that was asked counts; both prices come back."""
    tries, budget = make()
    tries.failed(world.begin_on(0), FAULT, 10.0)
    assert tries.hedged(world.begin_on(1), world.begin_on(3))
    assert (budget.level, tries.tried) == (90.0, frozenset({0, 1, 3}))
    tries.answered()
    assert budget.level == 100.0


def test_a_second_call_that_nobody_pays_for_is_not_made(world: World) -> None:
    """The bucket keeps what is in it, and the other key is still untried."""
    tries, budget = make()
    budget.level = 4.9
    assert not tries.hedged(world.begin_on(1), world.begin_on(3))
    assert (budget.level, tries.tried) == (4.9, frozenset())
