"""Charts of the admin commands: every number of the store is shown once, at its time and under its name."""

from __future__ import annotations

from typing import Any

import pytest

from cogs.diagrams import PERIODS, Past, Period, key_pictures, load_past, pool_pictures
from utils.storage import Span

SINCE = 1_790_000_040
HOUR = PERIODS["hour"]


def span(place: int = 0, name: str = "m", **values: Any) -> Span:
    given: dict[str, Any] = {
        "requests": 4,
        "errors": 1,
        "seconds": 6.0,
        "timed": 3,
        "input_tokens": 10,
        "output_tokens": 20,
        "kinds": {"quota": 1},
    }
    return Span(start=SINCE + place * HOUR.span_s, name=name, **(given | values))


def past(*spans: Span) -> Past:
    return Past(HOUR, SINCE, spans)


def sums(panel: Any) -> dict[str, float]:
    return {one.name: sum(value or 0.0 for value in one.values) for one in panel.series}


@pytest.mark.parametrize("period", PERIODS.values())
def test_a_period_is_made_of_whole_spans_and_its_steps_are_even(period: Period):
    """Steps are named at even distances under the chart, up to now."""
    assert period.count * period.span_s == period.length_s
    unit = {"minutes": 60, "hours": 3600, "days": 86400}[period.unit]
    assert period.steps[0] * unit == period.length_s
    gaps = {first - second for first, second in zip(period.steps, (*period.steps[1:], 0), strict=True)}
    assert len(gaps) == 1


async def test_sums_are_read_up_to_the_minute_that_runs():
    """The last span ends with the current minute, so the newest answer is in it."""
    asked: dict[str, Any] = {}

    class Store:
        async def load(self, **given: Any) -> list[Span]:
            asked.update(given)
            return []

    store: Any = Store()
    found = await load_past(store, HOUR, by="model", now=SINCE + 30.5)
    assert (asked["since"], asked["until"], asked["length_s"]) == (found.since, found.since + 3600, 120)
    assert asked["until"] - 60 <= SINCE + 30.5 < asked["until"]


def test_the_pools_pictures_hold_every_number():
    """Requests and errors in the one, time and tokens in the other, each at its place."""
    data = past(span(0), span(29, requests=2, kinds={"timeout": 3}), span(0, "n", timed=0, seconds=0.0, kinds={}))
    (first, traffic), (second, speed) = pool_pictures(data)
    assert (first, second) == ("requests.png", "time-and-tokens.png")
    requests, errors = traffic("en-US").panels
    assert sums(requests) == {"m": 6, "n": 4}
    assert requests.series[0].values[0] == 4
    assert requests.series[0].values[29] == 2
    assert sums(errors) == {"no answer in time": 3, "quota": 1}
    time, tokens = speed("en-US").panels
    assert [one.name for one in time.series] == ["m"]
    assert time.series[0].values[0] == 2.0
    assert sums(tokens) == {"sent": 30, "received": 60}
    assert time.axis == ("-60 min", "-45 min", "-30 min", "-15 min", "now")


def test_nothing_asked_means_no_picture():
    """An empty chart tells less than none."""
    assert pool_pictures(past()) == []
    assert key_pictures(past(), {}, {}) == []


def test_keys_are_named_by_label_and_removed_ones_together():
    """A fingerprint is never shown."""
    data = past(span(0, "f1"), span(1, "f2", requests=9), span(2, "f3", requests=1, kinds={"fault": 2}))
    [(_, traffic)] = key_pictures(data, {"f1": "Key #1"}, {})
    requests, errors = traffic("en-US").panels
    assert sums(requests) == {"removed keys": 10, "Key #1": 4}
    assert errors.axis == ("removed keys", "Key #1")
    assert {one.name: one.values for one in errors.series} == {"quota": (1.0, 1.0), "faults": (2.0, 0.0)}


def test_keys_without_errors_have_no_panel_of_errors():
    """There is nothing to compare."""
    [(_, traffic)] = key_pictures(past(span(kinds={"ok": 4, "caller": 1, "cancelled": 2})), {"m": "Key #1"}, {})
    assert len(traffic("en-US").panels) == 1


def test_what_is_left_of_quota_is_shown_by_project_the_least_first():
    """A project whose limit is not known is left out; the model is named where there are several."""
    quotas = {
        "alpha": {"m": {"limit": 100, "left": 75}},
        "beta": {"m": {"limit": 200, "left": 10}, "n": {"left": 3}},
        "gamma": {"m": {"limit": 10, "left": -2}},
    }
    [(name, build)] = key_pictures(past(), {}, quotas)
    [panel] = build("en-US").panels
    assert name == "quota-left.png"
    assert panel.axis == ("gamma", "beta", "alpha")
    assert panel.series[0].values == (0.0, 5.0, 75.0)
    quotas["beta"]["n"]["limit"] = 4
    assert key_pictures(past(), {}, quotas)[0][1]("en-US").panels[0].axis[1] == "beta m"


def test_many_models_are_gathered():
    """At most six are told apart by colour."""
    data = past(*[span(0, f"m{number}", requests=number) for number in range(1, 11)])
    requests, _ = pool_pictures(data)[0][1]("en-US").panels
    assert len(requests.series) == 7
    assert sum(sums(requests).values()) == 55
    assert requests.series[-1].name == "others"
