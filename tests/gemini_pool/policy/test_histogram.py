"""A spread of times that slowly forgets: close to what was counted, the same after saving, untroubled by nonsense."""

from __future__ import annotations

import itertools
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


def test_a_bucket_is_a_tenth_wide_and_the_value_lies_within() -> None:
    """Equal values: every quantile lies in their bucket, in proportion."""
    histogram = Histogram(1e9)
    for _ in range(100):
        histogram.add(2.0)
    low, high = histogram.quantile(0.0), histogram.quantile(1.0)
    assert low <= histogram.quantile(0.5) <= high
    assert histogram.quantile(0.5) == pytest.approx(math.sqrt(histogram.quantile(0.25) * histogram.quantile(0.75)))
    assert high / histogram.quantile(0.001) == pytest.approx(1.1, rel=0.001)
    assert histogram.quantile(0.001) <= 2.0 <= high


@pytest.mark.parametrize(("seconds", "least", "most"), [(0.0, 0.0, 0.011), (0.01, 0.0, 0.011), (1e9, 1000.0, 1350.0)])
def test_values_beyond_the_ends_count_at_the_ends(seconds: float, least: float, most: float) -> None:
    """A hundredth of a second is the shortest told, twenty minutes the longest."""
    histogram = Histogram(10.0)
    histogram.add(seconds)
    assert least <= histogram.quantile(0.5) <= most


def test_an_old_value_is_worth_half_after_a_half_life_of_values() -> None:
    """After as many new ones as the half-life says, an old one and half of a new one weigh the same."""
    histogram = Histogram(1.0)
    histogram.add(1.0)
    histogram.add(100.0)
    # the old one is worth a third of both together
    assert histogram.quantile(0.33) < 1.2
    assert histogram.quantile(0.34) > 90.0
    long = Histogram(4.0)
    for seconds in [1.0] * 4 + [100.0] * 4:
        long.add(seconds)
    assert long.quantile(0.33) < 1.2
    assert long.quantile(0.34) > 90.0


def test_it_reckons_anew_after_an_eighth_more_and_32_at_most() -> None:
    """Each of the first is taken in at once; later ones in bundles that grow."""
    histogram = Histogram(1e9)
    anew = [number for number in range(1, 400) if histogram.add(1.0)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(anew)]
    assert anew[:12] == list(range(1, 13))
    assert max(gaps) == 32
    assert gaps == sorted(gaps)
    assert [gap for at, gap in zip(anew, gaps, strict=False) if at == 24] == [3]


def test_a_copy_is_the_share_of_each_bucket_in_thousandths() -> None:
    """Three of four values in one bucket; what is worth next to nothing is left out."""
    histogram = Histogram(1e9)
    for seconds in (1.0, 1.0, 1.0, 50.0):
        histogram.add(seconds)
    saved = histogram.save()
    assert saved["seen"] == 4
    assert isinstance(saved["shares"], dict)
    assert sorted(saved["shares"].values()) == pytest.approx([250.0, 750.0], abs=0.01)
    fading = Histogram(1.0)
    for seconds in [50.0] + [1.0] * 30:
        fading.add(seconds)
    assert isinstance(shares := fading.save()["shares"], dict)
    assert len(shares) == 1


def test_what_was_taken_up_weighs_no_more_than_endless_use() -> None:
    """A copy of a million values fades as fast as one of thousands."""
    histogram = Histogram(10.0)
    histogram.restore({"seen": 1_000_000, "shares": {"50": 1000.0}})
    assert histogram.seen == 1_000_000
    before = histogram.quantile(0.5)
    for _ in range(64):
        histogram.add(600.0)
    assert histogram.quantile(0.5) > 500.0 > before
    few = Histogram(1e9)
    few.restore({"seen": 3, "shares": {"50": 1000.0}})
    for _ in range(5):
        few.add(600.0)
    assert few.quantile(0.3) == pytest.approx(before, rel=0.1)
    assert few.quantile(0.5) > 500.0


@pytest.mark.parametrize(
    "document",
    [
        {"seen": 0, "shares": {"5": 1000.0}},
        {"seen": "3", "shares": {"5": 1000.0}},
        {"seen": 3, "shares": [1000.0]},
        {"seen": 3, "shares": {}},
        {"seen": 3, "shares": {"5": -1.0}},
        {"seen": 3, "shares": {"5": 1000.1}},
        {"seen": 3, "shares": {"5": True}},
        {"seen": 3, "shares": {"5": "1000"}},
    ],
)
def test_a_copy_of_another_shape_changes_nothing(document: dict[str, object]) -> None:
    """What was counted stays."""
    histogram = Histogram(10.0)
    histogram.add(1.0)
    histogram.restore(document)
    assert (histogram.seen, histogram.save()["seen"]) == (1, 1)
    assert 0.9 < histogram.quantile(0.5) < 1.2


def test_a_copy_of_one_value_is_enough() -> None:
    """The last bucket and the whole share are read as well."""
    histogram = Histogram(10.0)
    histogram.add(3000.0)
    again = Histogram(10.0)
    again.restore(histogram.save())
    assert again.seen == 1
    assert again.quantile(0.5) == pytest.approx(histogram.quantile(0.5))
