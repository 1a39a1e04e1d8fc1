"""A spread of times that slowly forgets: close to what was counted, the same after saving, untroubled by nonsense."""

from __future__ import annotations

import json
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.gemini_pool.policy.histogram import Histogram


def filled(*values: float, half_life: float = 300.0) -> Histogram:
    """Give a histogram of these values."""
    histogram = Histogram(half_life)
    for value in values:
        histogram.add(value)
    return histogram


@given(st.lists(st.floats(0.02, 600.0), min_size=1, max_size=31))
def test_a_quantile_lies_within_a_tenth_of_the_values_around_it(values: list[float]) -> None:
    """While nothing is forgotten, the median lies between the smallest and the largest value but for a bucket."""
    histogram = Histogram(math.inf)
    reckoned = [value for value in values if histogram.add(value)]
    assert reckoned
    assert min(values) / 1.11 <= histogram.quantile(0.5) <= max(values) * 1.11
    assert histogram.quantile(0.5) <= histogram.quantile(0.95) <= histogram.quantile(0.97)


def test_quantiles_of_many_values_are_close_to_the_exact_ones() -> None:
    """Of 5,000 log-normal times that are all remembered, each quantile is within 5 % of the exact one."""
    rng = random.Random(3)
    values = [rng.lognormvariate(0.9, 0.7) for _ in range(5000)]
    histogram = filled(*values, half_life=1e6)
    exact = statistics.quantiles(values, n=100)
    for share, value in ((0.50, exact[49]), (0.95, exact[94]), (0.97, exact[96])):
        assert histogram.quantile(share) == pytest.approx(value, rel=0.05)


def test_what_is_long_ago_is_forgotten() -> None:
    """After ten half-lives of quick answers nothing is left of the slow ones before."""
    histogram = filled(*[40.0] * 1000, *[1.0] * 3000)
    assert histogram.quantile(0.97) == pytest.approx(1.0, rel=0.11)


def test_endless_use_keeps_numbers_finite() -> None:
    """Weights grow with every value and are brought down again before they are too large."""
    histogram = filled(*[2.0] * 20_000, half_life=10.0)
    assert histogram.quantile(0.5) == pytest.approx(2.0, rel=0.11)


@pytest.mark.parametrize("value", [0.0, 1e-9, 1e9])
def test_values_out_of_range_are_counted_at_its_ends(value: float) -> None:
    """A time of nothing or of days neither fails nor is lost."""
    histogram = filled(value)
    assert histogram.seen == 1
    assert 0.01 <= histogram.quantile(0.5) <= 1400.0


def test_an_empty_histogram_knows_nothing() -> None:
    """Without values every quantile is 0."""
    assert Histogram(300.0).quantile(0.97) == 0.0


def test_saved_and_taken_up_again_it_answers_the_same_and_goes_on_learning() -> None:
    """A copy through JSON gives the same quantiles, and new values weigh in it as in the first."""
    rng = random.Random(5)
    before = filled(*[rng.lognormvariate(1.0, 0.5) for _ in range(256)])
    while not before.add(rng.lognormvariate(1.0, 0.5)):
        pass
    after = Histogram(300.0)
    after.restore(json.loads(json.dumps(before.save())))
    assert after.seen == before.seen
    for share in (0.5, 0.95, 0.97):
        assert after.quantile(share) == pytest.approx(before.quantile(share), rel=0.01)
    for histogram in (before, after):
        for _ in range(64):
            histogram.add(30.0)
    assert after.quantile(0.8) == pytest.approx(before.quantile(0.8), rel=0.15)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"seen": 5},
        {"seen": "5", "shares": {"3": 1.0}},
        {"seen": 0, "shares": {"3": 1.0}},
        {"seen": 5, "shares": [1.0]},
        {"seen": 5, "shares": {}},
        {"seen": 5, "shares": {"3": -1.0}},
        {"seen": 5, "shares": {"3": math.nan}},
        {"seen": 5, "shares": {"3": True}},
        {"seen": 5, "shares": {"100000": 1.0, "x": 2.0}},
    ],
)
def test_a_document_of_another_shape_changes_nothing(document: dict[str, object]) -> None:
    """What storage gives back may be of another release or damaged."""
    histogram = filled(2.0, 2.0)
    kept = histogram.save()
    histogram.restore(document)
    assert histogram.save() == kept
