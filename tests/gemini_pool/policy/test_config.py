"""The constants: what is refused, and what the limit case of the rules is."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

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


@pytest.mark.parametrize(
    ("field", "unit", "sentence"),
    [
        ("rerank_error", 0.01, "A key with an error above {} % is ranked anew"),
        ("rerank_s", 1, "is ranked anew every {} s"),
        ("open_error_rate", 0.01, "an error above {} % over at least 4 calls"),
        ("rotation_s", 1, "**Rotation**, every {} s"),
        ("cooling_default_s", 1, "({} s when it does not say)"),
        ("share_grow_s", 1, "growing by one every {} s"),
        ("wall_agree_s", 1, "Two such walls that end within {} s of each other"),
        ("deadline_text_s", 1, "One deadline ({} s for text,"),
        ("deadline_media_s", 1, "for text, {} s with files)"),
        ("between_chunks_s", 1, "after which {} s"),
        ("max_attempts", 1, "up to {} attempts"),
        ("latency_half_life_answers", 1, "after {} later answers"),
        ("latency_known_after", 1, "until {} are known"),
        ("model_told_after_s", 1, "is told to the reader after {} s of waiting"),
        ("max_waiting", 1, "beyond {} (`max_waiting`)"),
        ("arrival_half_life_s", 1, "with a half-life of {} s, until it is empty"),
        ("records_kept", 1, "a ring of {} (`records_kept`)"),
        ("alert_few_for_s", 1, "able to serve a model for more than {} s"),
    ],
)
def test_the_documentation_says_what_holds(field: str, unit: float, sentence: str) -> None:
    """Each constant stands in ``docs/pool.md`` as it is."""
    text = " ".join((Path(__file__).parents[3] / "docs" / "pool.md").read_text(encoding="utf-8").split())
    amount = getattr(PoolConfig(), field) / unit
    shown = "a hundred" if amount == 100 else f"{round(amount, 6):,g}"
    assert sentence.format(shown) in text


def test_what_is_billed_twice_is_made_by_nobody_who_did_not_ask_for_it() -> None:
    """No second call beside a slow one."""
    assert PoolConfig().hedge_after_s == 0.0


def test_a_key_is_unhealthy_for_rotation_where_its_gate_would_open() -> None:
    """By the same share of errors."""
    assert PoolConfig().unhealthy_error_rate == PoolConfig().open_error_rate
