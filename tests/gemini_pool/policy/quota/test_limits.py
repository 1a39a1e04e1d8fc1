"""What is known of limits: by the operator, from other projects, from the project's own refusals."""

from __future__ import annotations

import math

import pytest

from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.quota.limits import ModelLimits, OwnLimit
from utils.gemini_pool.policy.quota.texts import Measure

RPM, TPM, RPD = Measure.REQUESTS_PER_MINUTE, Measure.TOKENS_PER_MINUTE, Measure.REQUESTS_PER_DAY


class Reader:
    """Counts how often it was told to look again."""

    def __init__(self) -> None:
        self.told = 0

    def review(self) -> None:
        """Look again."""
        self.told += 1


def test_nothing_is_known_at_first() -> None:
    """0 means: not declared."""
    limits, own = ModelLimits(PoolConfig()), OwnLimit()
    assert [limits.declared(measure) for measure in Measure] == [None] * 3
    assert [limits.presumed(measure, 5.0) for measure in Measure] == [None] * 3
    assert own.bound(0.0, None, 120.0) == (None, math.inf)
    assert (own.learned, own.share, own.refuted) == (0, 0, 0)


def test_what_is_declared_for_the_model_goes_before_the_configuration() -> None:
    """Each measure by itself; a declared 0 takes a limit away."""
    config = PoolConfig(requests_per_minute=10, tokens_per_minute=1, requests_per_day=300)
    limits = ModelLimits(config, {RPM: 20, RPD: 0})
    assert [limits.declared(measure) for measure in (RPM, TPM, RPD)] == [20, 1, None]


def test_the_smallest_limit_that_is_still_believed_is_presumed() -> None:
    """Of those named to any project; until its very end."""
    limits, reader = ModelLimits(PoolConfig()), Reader()
    limits.follow(reader)
    limits.name(RPM, 10, 0.0, 100.0)
    limits.name(RPM, 20, 0.0, 110.0)
    assert (limits.presumed(RPM, 0.0), limits.presumed_until(RPM)) == (10, 110.0)
    limits.name(RPM, 5, 0.0, 120.0)
    assert limits.presumed(RPM, 119.9) == 5
    assert limits.presumed(RPM, 120.0) is None
    limits.name(RPM, 30, 120.0, 200.0)
    assert limits.presumed(RPM, 121.0) == 30
    assert limits.presumed(TPM, 121.0) is None
    assert reader.told == 4


def test_a_learned_limit_goes_before_the_declared_one_until_it_ends() -> None:
    """Then the declared one counts again."""
    own = OwnLimit()
    own.learn(15, 100.0)
    assert own.bound(99.9, 50, 120.0) == (15, 100.0)
    assert own.bound(100.0, 50, 120.0) == (50, math.inf)
    assert own.learned == 0


def test_a_share_grows_by_one_in_its_time_until_it_is_all() -> None:
    """With the time at which it grows next."""
    own = OwnLimit()
    own.learn(5, 1000.0)
    own.share, own.share_at = 2, 10.0
    assert own.bound(10.0, None, 120.0) == (2, 130.0)
    assert own.bound(129.9, None, 120.0) == (2, 130.0)
    assert own.bound(130.0, None, 120.0) == (3, 250.0)
    assert own.bound(369.9, None, 120.0) == (4, 370.0)
    assert own.share == 2
    assert own.bound(370.0, None, 120.0) == (5, 1000.0)
    assert own.share == 0
    own.share, own.share_at = 2, 960.0
    assert own.bound(961.0, None, 120.0) == (2, 1000.0)


@pytest.mark.parametrize("grow_s", [0.0, 0.001])
def test_a_share_that_grows_at_once_is_none(grow_s: float) -> None:
    """Nor is one of a limit that nobody knows any more."""
    own = OwnLimit()
    own.learn(5, 1000.0)
    own.share, own.share_at = 2, 10.0
    assert own.bound(11.0, None, grow_s) == (5, 1000.0)
    own.share = 2
    assert own.bound(1000.0, None, 120.0) == (None, math.inf)
    assert own.share == 0


def test_a_share_that_may_wait_a_second_to_grow_waits() -> None:
    """The least time that is one."""
    own = OwnLimit()
    own.learn(50, 1000.0)
    own.share, own.share_at = 2, 10.0
    assert own.bound(10.5, None, 1.0) == (2, 11.0)


def test_what_was_refuted_is_remembered() -> None:
    """The largest of it; the limit and its share are gone."""
    own = OwnLimit()
    own.learn(50, 1000.0)
    own.share = 3
    own.forget()
    assert (own.learned, own.share, own.refuted) == (0, 0, 50)
    own.learn(20, 1000.0)
    own.forget()
    assert own.refuted == 50
