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


def spread(histogram: Histogram) -> tuple[float, float]:
    """Give what just less and just more than half of all is worth keep below."""
    return histogram.quantile(0.49), histogram.quantile(0.51)


def test_the_newest_value_weighs_as_much_as_all_before_it_at_a_half_life_of_one() -> None:
    """From the ninth on, and also where the weights have just been brought down."""
    for count in range(9, 120):
        histogram = filled(*[1.0] * (count - 1), half_life=1.0)
        if histogram.add(100.0):
            below, above = spread(histogram)
            assert below < 1.2
            assert above > 90.0


def test_what_was_taken_up_is_worth_half_after_a_half_life() -> None:
    """A copy of a thousand values and the next 32 are worth the same at a half-life of 32."""
    histogram = Histogram(32.0)
    histogram.restore({"seen": 1000, "shares": {"50": 1000.0}})
    assert [histogram.add(600.0) for _ in range(32)][-1]
    below, above = spread(histogram)
    assert below < 2.0
    assert above > 500.0


def test_a_copy_takes_the_place_of_what_was_counted() -> None:
    """What is counted afterwards weighs the same, whatever was counted before."""
    copy = {"seen": 8, "shares": {"50": 1000.0}}
    new, used = Histogram(4.0), filled(*[30.0] * 40, half_life=4.0)
    for histogram in (new, used):
        histogram.restore(copy)
        for _ in range(4):
            histogram.add(600.0)
    assert used.save() == new.save()
    assert spread(used) == spread(new)


def test_values_of_the_first_bucket_are_spread_over_it() -> None:
    """From 10 ms, where nothing lies below, to a tenth more: the middle at the root of 1.1."""
    histogram = filled(*[0.001] * 8, half_life=1e9)
    assert histogram.quantile(0.0) == pytest.approx(0.01)
    assert histogram.quantile(0.5) == pytest.approx(0.01 * math.sqrt(1.1))
    assert filled(2.0).quantile(0.0) == pytest.approx(0.01)


def test_nothing_counted_is_saved_as_nothing() -> None:
    """And taken up again it changes nothing."""
    nothing = Histogram(300.0).save()
    assert nothing == {"seen": 0, "shares": {}}
    known = filled(2.0)
    known.restore(nothing)
    assert known.seen == 1


def test_shares_are_written_to_a_thousandth_of_a_thousandth() -> None:
    """One and two of three values."""
    shares = filled(1.0, 50.0, 50.0, half_life=1e12).save()["shares"]
    assert isinstance(shares, dict)
    assert sorted(shares.values()) == [333.333, 666.667]


@pytest.mark.parametrize(("others", "kept"), [(6999, 2), (10_999, 1)])
def test_what_is_worth_less_than_a_ten_thousandth_is_not_written(others: int, kept: int) -> None:
    """One of seven thousand values is, one of eleven thousand is not."""
    shares = filled(50.0, *[1.0] * others, half_life=1e12).save()["shares"]
    assert isinstance(shares, dict)
    assert len(shares) == kept


def test_shares_need_not_add_up_to_a_thousand() -> None:
    """Only how they compare counts, down to less than one together."""
    small, large = Histogram(300.0), Histogram(300.0)
    small.restore({"seen": 9, "shares": {"50": 0.3, "60": 0.6}})
    large.restore({"seen": 9, "shares": {"50": 300.0, "60": 600.0}})
    assert small.seen == large.seen == 9
    assert [small.quantile(share) for share in (0.2, 0.5, 0.9)] == pytest.approx(
        [large.quantile(share) for share in (0.2, 0.5, 0.9)]
    )
