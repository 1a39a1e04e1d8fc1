"""A dead key is asked again once a day, on its own time, over restarts and clocks that jump."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gemini_pool.policy.conftest import WALL
from utils.gemini_pool.policy import KeySpec, PoolConfig
from utils.gemini_pool.policy.keys import Death, Key
from utils.gemini_pool.policy.revival import Revivals

DAY = 86400.0


def dead_key(number: int = 0, *, since: float = WALL) -> Key:
    """Give a key that died at Unix second ``since``."""
    key = Key(number, KeySpec(f"f{number}"))
    key.dead = Death("API_KEY_INVALID", since)
    return key


def test_a_dead_key_is_asked_a_day_after_its_death_and_every_day_after() -> None:
    """Not before, once each time, however often one looks."""
    revivals, key = Revivals(PoolConfig()), dead_key()
    asked = [hour for hour in range(80) if revivals.due([key], hour * 3600.0, WALL + hour * 3600.0)]
    assert asked == [24, 48, 72]


def test_a_restart_neither_asks_at_once_nor_forgets() -> None:
    """A process that starts 30 hours after the death asks 18 hours later."""
    revivals, key = Revivals(PoolConfig()), dead_key()
    started = WALL + 30 * 3600.0
    assert not revivals.due([key], 0.0, started)
    assert not revivals.due([key], 17.9 * 3600.0, started)
    assert revivals.due([key], 18.0 * 3600.0, started) == [key]


def test_a_live_key_is_never_asked_and_a_new_death_counts_anew() -> None:
    """A key that was reset and died again is asked a day after the second death."""
    revivals, key = Revivals(PoolConfig()), dead_key()
    assert not revivals.due([key], 0.0, WALL)
    key.dead = None
    assert not revivals.due([key], 2 * DAY, WALL + 2 * DAY)
    key.dead = Death("leaked", WALL + 2 * DAY)
    assert not revivals.due([key], 2 * DAY, WALL + 2 * DAY)
    assert not revivals.due([key], 2.9 * DAY, WALL + 2.9 * DAY)
    assert revivals.due([key], 3 * DAY, WALL + 3 * DAY) == [key]


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, -40 * DAY, 40 * DAY])
def test_a_wall_clock_that_jumps_asks_neither_early_nor_twice(jump: float) -> None:
    """Once reckoned, the time of a probe is on the clock that only goes forward."""
    revivals, key = Revivals(PoolConfig()), dead_key()
    asked = []
    for hour in range(60):
        wall = WALL + hour * 3600.0 + (jump if hour > 5 else 0.0)
        if revivals.due([key], hour * 3600.0, wall):
            asked.append(hour)
    assert asked == [24, 48]


def test_probes_can_be_turned_off() -> None:
    """With 0 seconds between probes there are none."""
    assert not Revivals(PoolConfig(dead_probe_s=0.0)).due([dead_key()], 9e9, WALL + 9e9)


@given(since=st.floats(-1e6, 1e6), looks=st.lists(st.floats(0.0, DAY), max_size=60))
def test_no_key_is_asked_twice_within_a_day(since: float, looks: list[float]) -> None:
    """Whenever one looks, and however the death lies to the wall clock."""
    revivals, key, now = Revivals(PoolConfig()), dead_key(since=WALL + since), 0.0
    asked: list[float] = []
    for step in looks:
        now += step
        if revivals.due([key], now, WALL + now):
            asked.append(now)
    assert all(later - earlier > DAY - 0.001 for earlier, later in itertools.pairwise(asked))


def dead_keys(*since: float | None) -> list[Key]:
    """Give keys that died at these Unix seconds; None: alive."""
    keys = [Key(number, KeySpec(f"f{number}")) for number in range(len(since))]
    for key, at in zip(keys, since, strict=True):
        key.dead = None if at is None else Death("leaked", at)
    return keys


def test_a_death_is_asked_after_in_whole_days_of_its_age() -> None:
    """This process started when it was a day and 10 s old: the next round is a day less 10 s away."""
    revivals, keys = Revivals(PoolConfig()), dead_keys(None, 1_000_000.0)
    wall = 1_000_000.0 + 86_400.0 + 10.0
    assert revivals.due(keys, 0.0, wall) == []
    assert revivals.due(keys, 86_389.9, wall) == []
    assert revivals.due(keys, 86_390.0, wall) == [keys[1]]
    assert revivals.due(keys, 86_391.0, wall) == []
    assert revivals.due(keys, 86_390.0 + 86_400.0, wall) == [keys[1]]


def test_a_new_death_of_a_key_has_a_day_of_its_own() -> None:
    """One that a clock puts into the future is asked after in a day."""
    revivals, keys = Revivals(PoolConfig()), dead_keys(1000.0, 9e9)
    assert revivals.due(keys, 0.0, 1000.0) == []
    keys[0].dead = Death("leaked", 51_000.0)
    assert revivals.due(keys, 50_000.0, 51_000.0) == []
    assert revivals.due(keys, 86_400.0, 87_400.0) == [keys[1]]
    assert revivals.due(keys, 136_400.0, 137_400.0) == [keys[0]]


@pytest.mark.parametrize(("every_s", "asked"), [(0.0, 0), (1.0, 1)])
def test_asking_can_be_turned_off(every_s: float, asked: int) -> None:
    """With 0 nobody is ever asked; a second is a time like any other."""
    revivals, keys = Revivals(PoolConfig(dead_probe_s=every_s)), dead_keys(0.0)
    assert revivals.due(keys, 0.0, 0.5) == []
    assert len(revivals.due(keys, 0.6, 1.1)) == asked
