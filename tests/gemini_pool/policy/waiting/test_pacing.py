"""The usual rate of arrivals, and the pace of those who are let go after a closure."""

from __future__ import annotations

import random

import pytest

from utils.gemini_pool.policy.waiting.pacing import Arrivals, Pace


def arrivals(per_s: float, for_s: float, half_life_s: float = 60.0) -> Arrivals:
    """Let people arrive evenly."""
    one = Arrivals(half_life_s, 0.0)
    for number in range(int(per_s * for_s)):
        one.count(number / per_s)
    return one


@pytest.mark.parametrize("for_s", [10.0, 60.0, 600.0])
@pytest.mark.parametrize("per_s", [0.5, 20.0])
def test_the_rate_is_right_from_the_start_on(per_s: float, for_s: float):
    """Within a fifth, after seconds as after minutes."""
    assert arrivals(per_s, for_s).per_s(for_s) == pytest.approx(per_s, rel=0.2)


def test_the_rate_forgets():
    """Halved for every half-life without an arrival."""
    one = arrivals(2.0, 600.0)
    before = one.per_s(600.0)
    assert one.per_s(660.0) == pytest.approx(before / 2, rel=0.01)
    assert Arrivals(float("inf"), 0.0).per_s(1e6) == 0.0


def test_off_it_holds_nobody():
    """Before a closure everybody goes at once."""
    pace = Pace(2.0)
    pace.went(0.0, 1.0, 2.5)
    assert pace.allows(0.0)
    assert pace.at(50, 3.0, 1.0, 2.5) == 3.0


def test_on_it_lets_go_at_twice_the_usual_rate():
    """With one arrival a second, one who waits goes every half second; the tenth knows when."""
    pace = Pace(2.0)
    pace.start(100.0)
    assert pace.at(10, 100.0, 1.0, 2.5) == 104.5
    now = 100.0
    went: list[float] = []
    while len(went) < 10:
        if pace.allows(now):
            went.append(now)
            pace.went(now, 1.0, 2.5)
        now += 0.125
    assert went == [100.0 + 0.5 * number for number in range(10)]
    pace.stop()
    assert pace.allows(now)


def test_a_look_that_comes_late_does_not_slow_it_down():
    """Looked at in steps of any length, as many go as the rate says, and never more than one beyond it."""
    pace, dice = Pace(2.0), random.Random(1)
    pace.start(0.0)
    now, went = 0.0, 0
    while now < 100.0:
        while pace.allows(now):
            went += 1
            pace.went(now, 1.0, 2.5)
            assert went <= 2.0 * now + 2
        now += dice.uniform(0.0, 0.4)
    assert went >= 195


def test_few_arrivals_do_not_hold_up_the_line():
    """Where nearly nobody asks, one goes as soon as the one before it is usually answered."""
    pace = Pace(2.0)
    assert pace.gap_s(0.001, 2.5) == 2.5
    assert pace.gap_s(0.0, 2.5) == 2.5
    assert pace.gap_s(0.25, 2.5) == 2.0


def test_a_second_start_changes_nothing():
    """Who has just gone counts on."""
    pace = Pace(2.0)
    pace.start(0.0)
    pace.went(0.0, 1.0, 2.5)
    pace.start(0.1)
    assert not pace.allows(0.2)
