"""The constants: what is refused, and what the limit case of the rules is."""

from __future__ import annotations

import dataclasses
import math

import pytest

from utils.gemini_pool.policy import PoolConfig


@pytest.mark.parametrize("value", [-1.0, -0.001, math.nan])
@pytest.mark.parametrize("field", ["rotation_s", "open_after_faults", "peer_factor"])
def test_what_is_no_amount_is_refused_by_name(field: str, value: float) -> None:
    """A constant below 0 or that is no number names itself."""
    with pytest.raises(ValueError, match=f"PoolConfig.{field} must be 0 or more"):
        PoolConfig(**{field: value})  # type: ignore[arg-type]  # any field


def test_nothing_and_endless_are_amounts() -> None:
    """0 turns most rules off, an endless half-life forgets nothing; both are allowed."""
    assert PoolConfig(peer_factor=0.0, error_half_life_s=math.inf).error_half_life_s == math.inf


def test_one_attempt_is_the_least() -> None:
    """Who asks at all asks once."""
    assert PoolConfig(max_attempts=1).max_attempts == 1
    with pytest.raises(ValueError, match="max_attempts must be 1 or more"):
        PoolConfig(max_attempts=0)


def test_the_plain_form_forgets_nothing_and_forgives_nothing() -> None:
    """The formula in its shortest description: what differs from the rules as they are, and nothing else."""
    plain, usual = dataclasses.asdict(PoolConfig.plain()), dataclasses.asdict(PoolConfig())
    assert {name: value for name, value in plain.items() if value != usual[name]} == {
        "usage_half_life_s": math.inf,
        "error_half_life_s": math.inf,
        "error_prior": 0.0,
        "lift_newcomers": False,
        "rerank_s": 0.0,
        "busy_times_fair": 0.0,
        "busy_min_calls": 1.0,
    }
