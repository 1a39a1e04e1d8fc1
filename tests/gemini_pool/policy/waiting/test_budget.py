"""The retry budget: spent by faults, filled by answers, given back to who is answered in the end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.budget import RetryBudget


def test_it_ends():
    """A full bucket pays for twenty further attempts; then for none, until somebody is answered."""
    budget = RetryBudget(PoolConfig())
    paid = [budget.pay() for _ in range(21)]
    assert paid == [5.0] * 20 + [None]
    assert budget.level == 0.0
    for _ in range(5):
        budget.answered(0.0)
    assert budget.pay() == 5.0


def test_an_answer_gives_back_all_that_was_paid_for_it():
    """So that faults which another key makes good cost nothing."""
    budget = RetryBudget(PoolConfig())
    paid = sum(budget.pay() or 0.0 for _ in range(7))
    budget.answered(paid)
    assert budget.level == 100.0


@given(st.lists(st.one_of(st.none(), st.floats(0.0, 50.0)), max_size=60))
def test_its_level_keeps_within_its_bounds(steps: list[float | None]):
    """Whatever happens: never below 0, never above the size, and nothing is taken that is not there."""
    budget = RetryBudget(PoolConfig(budget_size=23.0))
    for step in steps:
        before = budget.level
        if step is None:
            paid = budget.pay()
            assert budget.level == before - (paid or 0.0)
            assert (paid is None) == (before < 5.0)
        else:
            budget.answered(step)
        assert 0.0 <= budget.level <= 23.0


@pytest.mark.parametrize("failing", [0.3, 0.4])
def test_faults_by_chance_do_not_empty_it(failing: float):
    """At 30 and 40 % of failures every request finds its further attempts paid."""
    budget, dice, starved = RetryBudget(PoolConfig()), random.Random(1), 0
    for _ in range(5_000):
        paid = 0.0
        while dice.random() < failing:
            price = budget.pay()
            if price is None:
                starved += 1
                break
            paid += price
        else:
            budget.answered(paid)
    assert starved == 0
