"""Windows of starts and of tokens, at their very bounds."""

from __future__ import annotations

import math
import random
from collections import deque

import pytest

from utils.gemini_pool.policy.quota.windows import (
    NEVER,
    RequestWindow,
    TokenWindow,
    count_since,
    drop_before,
    give_back,
    merge,
)


def window(*calls: tuple[float, int]) -> TokenWindow:
    """Give a window of a minute with these calls, as (start, tokens), in the order in which they ended."""
    tokens = TokenWindow()
    for at, many in calls:
        tokens.add(at, many, 60.0)
    return tokens


@pytest.mark.parametrize(("limit", "free_at"), [(4, NEVER), (3, 61.0), (2, 62.0), (1, 64.0)])
def test_one_more_may_start_when_the_limit_th_last_has_left(limit: int, free_at: float) -> None:
    """With fewer starts than the limit there is room since ever."""
    assert RequestWindow(deque([1.0, 2.0, 4.0]), limit, 60.0).free_at() == free_at


@pytest.mark.parametrize(("after", "count"), [(0.0, 4), (1.0, 3), (1.5, 3), (2.0, 1), (3.0, 0)])
def test_starts_are_counted_after_a_time(after: float, count: int) -> None:
    """One at that time is not after it."""
    assert count_since(deque([1.0, 2.0, 2.0, 3.0]), after) == count


def test_one_start_is_given_back() -> None:
    """Of equal ones only one; one that is not there, or no longer, changes nothing."""
    starts = deque([1.0, 2.0, 2.0, 3.0])
    assert give_back(starts, 2.0) is True
    assert list(starts) == [1.0, 2.0, 3.0]
    assert give_back(starts, 2.5) is False
    assert give_back(starts, 0.5) is False
    assert give_back(starts, 1.0) is True
    assert give_back(starts, 3.0) is True
    assert list(starts) == [2.0]
    assert give_back(deque(), 2.0) is False


def test_old_starts_are_dropped_and_counted() -> None:
    """Those at the time too."""
    starts = deque([1.0, 2.0, 2.0, 3.0])
    assert drop_before(starts, 0.9) == 0
    assert drop_before(starts, 2.0) == 3
    assert list(starts) == [3.0]
    assert drop_before(starts, 9.0) == 1
    assert drop_before(starts, 9.0) == 0


def test_two_lines_become_one_in_order() -> None:
    """In place: whoever holds the first holds both."""
    first, second = deque([1.0, 3.0]), deque([2.0, 3.0, 4.0])
    merge(first, second)
    assert list(first) == [1.0, 2.0, 3.0, 3.0, 4.0]


def test_calls_are_kept_by_their_start() -> None:
    """Whatever the order of their ends."""
    tokens = window((3.0, 30), (1.0, 10), (2.0, 20), (2.0, 21), (4.0, 40))
    assert list(tokens.entries) == [(1.0, 10), (2.0, 20), (2.0, 21), (3.0, 30), (4.0, 40)]
    assert tokens.used == 121


def test_what_is_expected_follows_the_calls() -> None:
    """The first is taken whole, each later one by an eighth."""
    tokens = window((1.0, 80))
    assert tokens.expected == 80.0
    tokens.add(2.0, 160, 60.0)
    assert tokens.expected == 90.0
    tokens.add(3.0, 10, 60.0)
    assert tokens.expected == 80.0


def test_a_call_nobody_told_of_brings_what_is_expected() -> None:
    """At its place in the line; nothing while nothing is known."""
    unknown = TokenWindow()
    unknown.add_expected(1.0)
    assert (list(unknown.entries), unknown.used) == ([], 0)
    tokens = window((1.0, 8), (5.0, 17))
    tokens.add_expected(3.0)
    assert list(tokens.entries) == [(1.0, 8), (3.0, 9), (5.0, 17)]
    assert tokens.used == 34
    assert tokens.expected == pytest.approx(9.125)


def test_calls_leave_after_a_minute() -> None:
    """At its very end; a later call drops them as well."""
    tokens = window((1.0, 10), (2.0, 20), (30.0, 30))
    tokens.forget(60.9, 60.0)
    assert tokens.used == 60
    tokens.forget(61.0, 60.0)
    assert (len(tokens.entries), tokens.used) == (2, 50)
    tokens.add(62.0, 5, 60.0)
    assert list(tokens.entries) == [(30.0, 30), (62.0, 5)]
    assert tokens.used == 35
    tokens.forget(1000.0, 60.0)
    assert (list(tokens.entries), tokens.used) == ([], 0)


def test_a_call_that_is_just_within_the_minute_stays() -> None:
    """Only one that a whole minute lies behind is dropped by a start."""
    tokens = window((1.0, 10), (60.9, 20))
    assert tokens.used == 30


def test_calls_under_way_are_reckoned_with() -> None:
    """Each of them and one more bring what is expected."""
    tokens = window((1.0, 10))
    assert tokens.after(0) == 20.0
    assert tokens.after(2) == 40.0
    assert tokens.has_room(20, 0)
    assert not tokens.has_room(19, 0)
    assert tokens.has_room(40, 2)
    assert not tokens.has_room(39, 2)


def test_the_first_alone_may_always_go() -> None:
    """A question larger than the limit is sent when nothing else is in the minute."""
    tokens = window((1.0, 100))
    tokens.forget(61.0, 60.0)
    assert tokens.has_room(50, 0)
    assert not tokens.has_room(50, 1)
    unknown = TokenWindow()
    assert unknown.has_room(1, 0)
    assert not unknown.has_room(1, 1)
    full = TokenWindow()
    full.add(1.0, 0, 60.0)
    full.used = 7
    assert full.has_room(8, 0)
    assert not full.has_room(7, 0)


def test_room_comes_when_enough_tokens_have_left() -> None:
    """The call whose end makes it, to the token; with room it was long ago."""
    tokens = window((1.0, 10), (2.0, 10), (3.0, 10))
    assert tokens.free_at(40, 60.0, 0) == NEVER
    assert tokens.free_at(39, 60.0, 0) == 61.0
    assert tokens.free_at(30, 60.0, 0) == 61.0
    assert tokens.free_at(29, 60.0, 0) == 62.0
    assert tokens.free_at(10, 60.0, 0) == 63.0


def test_room_that_no_leaving_brings_takes_the_end_of_a_call() -> None:
    """What is expected alone is above the limit: the last to leave makes room for one, but none beside another."""
    tokens = window((1.0, 10), (2.0, 10))
    assert tokens.free_at(5, 60.0, 0) == 62.0
    assert tokens.free_at(5, 60.0, 1) == math.inf
    assert TokenWindow().free_at(5, 60.0, 1) == math.inf


def test_two_parts_of_one_project_add_up() -> None:
    """Their calls in order; the larger expectation counts."""
    first, second = window((1.0, 10), (4.0, 10)), window((2.0, 30))
    first.absorb(second)
    assert list(first.entries) == [(1.0, 10), (2.0, 30), (4.0, 10)]
    assert (first.used, first.expected) == (50, 30.0)
    third = window((9.0, 2))
    third.absorb(first)
    assert third.expected == 30.0
    first.absorb(window((9.0, 2)))
    assert first.expected == 30.0


@pytest.mark.parametrize("seed", range(3))
def test_the_sum_is_that_of_the_calls(seed: int) -> None:
    """Whatever comes and goes."""
    rng, tokens, now = random.Random(seed), TokenWindow(), 0.0
    for _ in range(100):
        now += rng.choice([0.0, 1.0, 9.0])
        tokens.add(now - rng.choice([0.0, 5.0, 20.0]), rng.randrange(100), 60.0)
        tokens.forget(now, 60.0)
        assert tokens.used == sum(many for _, many in tokens.entries)
        assert list(tokens.entries) == sorted(tokens.entries, key=lambda entry: entry[0])
        assert all(at + 60.0 > now for at, _ in tokens.entries)
