"""The signs by which two projects are found to be one, each at its bounds: walls that end together, and sums."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.quota.quota_service import minute_refusal
from tests.gemini_pool.policy.quota.test_discovery import OK, WALL, Keys
from utils.gemini_pool.policy.outcome import Outcome


def refuse_slowly(keys: Keys, name: str, took_s: float, refused: Outcome) -> str | None:
    """Have a call refused that took a while; answers what that found out."""
    asked_at = keys.now
    keys.quotas[name].start(asked_at)
    keys.now += took_s
    keys.quotas[name].end(asked_at, refused, keys.now, WALL + keys.now, 0)
    return keys.discovery.wall(name, keys.now)


# Walls


@pytest.mark.parametrize("waits", [(40.0, 40.25), (40.25, 40.0)])
def test_a_wait_in_whole_seconds_on_either_side_tells_nothing(waits: tuple[float, float]) -> None:
    """When the oldest call began is not known of it."""
    keys = Keys()
    keys.call_at("c", 980.25)
    first, second = waits
    keys.call("a", *[OK] * 4, minute_refusal(9, first))
    assert keys.call("b", minute_refusal(9, second)) is None


def test_walls_that_end_together_after_other_oldest_calls_are_two() -> None:
    """One refusal took half a second longer: its call was begun sooner, and was told the same wait less that."""
    keys = Keys()
    keys.call_at("c", 980.25)
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    keys.now += 10.0
    assert refuse_slowly(keys, "b", 0.5, minute_refusal(9, 29.75)) is None


def test_two_projects_that_filled_the_limit_between_them_may_be_one() -> None:
    """Five and four of nine; with one more they could not."""
    for more, found in ((4, "a"), (5, None)):
        keys = Keys()
        keys.call_at("c", 980.25)
        keys.call("b", *[OK] * more)
        keys.call("a", *[OK] * 5, minute_refusal(9, 40.25))
        keys.now += 10.0
        assert keys.call("b", minute_refusal(9, 30.25)) == found


def test_who_was_served_behind_the_wall_of_a_group_is_none_of_it() -> None:
    """The wall of the group is that of its first: what the third sent since then was served."""
    keys = Keys(("a", "b", "c", "d"))
    keys.call_at("d", 980.25)
    keys.call("a", *[OK] * 4, minute_refusal(9, 40.25))
    keys.now += 1.0
    keys.call("c", OK)
    keys.now += 1.0
    assert keys.call("c", minute_refusal(9, 38.25)) is None
    keys.now += 8.0
    assert keys.call("b", minute_refusal(9, 30.25)) == "a"
    keys.quotas["a"].absorb(keys.quotas["b"], keys.now)
    keys.discovery.forget("b")
    assert keys.discovery.wall("a", keys.now) is None


# Sums


def summed(mine: int, others: dict[str, int], limit: int, *, oldest: str, keys: Keys | None = None) -> str | None:
    """Let ``a`` be refused after so many calls of each; the oldest begins five seconds before the rest."""
    keys = keys or Keys(("a", *others))
    counts = {"a": mine, **others}
    if oldest in counts:
        keys.call(oldest, OK)
        counts[oldest] -= 1
    keys.now += 5.0
    for name, count in counts.items():
        keys.call(name, *[OK] * count)
    keys.now += 20.0
    return keys.call("a", minute_refusal(limit, 35.01))


def test_the_oldest_call_may_be_its_own() -> None:
    """One of its own and two of another come to three."""
    assert summed(1, {"b": 2, "c": 3}, 3, oldest="a") == "b"


def test_one_of_several_others_may_have_begun_the_oldest_call() -> None:
    """One, one and one come to three, whoever of the others began first; the first by name is told."""
    for oldest in ("b", "c"):
        assert summed(1, {"b": 1, "c": 1}, 3, oldest=oldest) == "b"


def test_a_sum_without_the_oldest_call_tells_nothing() -> None:
    """Nobody of ours began a call then, or somebody who is no part of the sum."""
    assert summed(1, {"b": 2}, 3, oldest="nobody") is None
    assert summed(0, {"b": 3}, 3, oldest="nobody") is None
    assert summed(1, {"b": 2, "c": 9}, 3, oldest="c") is None


def test_of_a_key_that_is_used_elsewhere_no_sum_is_believed() -> None:
    """Once nothing came to its limit; of a project that is none any more that is not remembered."""
    for forgotten in (False, True):
        keys = Keys(("a", "b"))
        assert summed(1, {"b": 1}, 3, oldest="b", keys=keys) is None
        keys.now += 90.0
        if forgotten:
            keys.discovery.forget("a")
            keys.discovery.know("a", keys.quotas["a"])
        assert summed(1, {"b": 2}, 3, oldest="b", keys=keys) == ("b" if forgotten else None)


def test_of_ten_others_sums_are_tried_and_of_eleven_none() -> None:
    """Only one of them comes to the limit; a call that began in the very moment of the refused one is its own."""
    for others, found in ((10, "k1"), (11, None)):
        keys = Keys([f"k{number}" for number in range(others + 1)])
        keys.call("k1", OK, OK)
        for name in keys.names[2:]:
            keys.call(name, OK, OK, OK)
        keys.now += 20.0
        keys.call("k0", OK)
        assert keys.call("k0", minute_refusal(3, 40.01)) == found


@pytest.mark.parametrize(("before_s", "found"), [(0.25, None), (0.35, "b")])
def test_a_call_begun_three_times_as_long_ago_as_the_refusal_took_was_accepted(
    before_s: float, found: str | None
) -> None:
    """A tenth of a second it took: what began 0.3 s before would have been refused by now."""
    keys = Keys(("a", "b"))
    keys.call("b", OK)
    keys.now += 5.0
    keys.call("a", OK)
    keys.now += 20.0
    keys.quotas["b"].start(keys.now - before_s)
    assert refuse_slowly(keys, "a", 0.1, minute_refusal(3, 35.01)) == found
