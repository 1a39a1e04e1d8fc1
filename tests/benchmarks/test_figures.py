"""What is measured of a run, on runs made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.service import figures
from benchmarks.service.protocol import LEFT, REFUSED, SERVED, User
from benchmarks.service.scenario import Call, Run, Scenario

SCENARIO = Scenario(
    name="by-hand", title="", text="", keys=2, projects=2, rpm=1, users=10, seconds=10.0, patience_s=60.0, figures=()
)


def user(at: float = 0.0, fate: str = SERVED, seconds: float = 1.0) -> User:
    return User(at, fate, seconds, 0.0)


def call(at: float = 0.0, key: str = "key-0", outcome: str = "ok") -> Call:
    return Call(at, key, "project-0", outcome)


def run(users: Sequence[User] = (), calls: Sequence[Call] = ()) -> Run:
    return Run(SCENARIO, users, calls, speed=1.0)


def test_a_percentile_is_a_value_that_occurred():
    """Of a hundred values the 95th and 99th are those, and of none there is none."""
    values = [float(number) for number in range(1, 101)]
    assert figures.percentile(values, 0.95) == 95.0
    assert figures.percentile(values, 0.99) == 99.0
    assert figures.percentile([7.0], 0.5) == 7.0
    assert math.isnan(figures.percentile([], 0.5))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_covers_its_share(values, share):
    """At least that share of the values are no larger."""
    found = figures.percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_errors_that_nobody_could_have_avoided_are_not_counted():
    """Of three users at once on two places of a minute, one cannot be served; only a second failure is avoidable."""
    assert figures.avoidable_errors(run([user(), user(), user(fate=REFUSED)])) == 0
    assert figures.avoidable_errors(run([user(), user(fate=LEFT), user(fate=REFUSED)])) == 1


def test_refusals_for_quota_are_set_against_users_served():
    """Faults of other kinds are not refusals, and without anybody served there is no such figure."""
    calls = [call(outcome="429"), call(outcome="429", key="key-1"), call(outcome="503"), call()]
    assert figures.refused_per_served(run([user(), user(fate=LEFT)], calls)) == 2.0
    assert figures.most_refused_of_a_key(run([], calls)) == 1
    assert math.isnan(figures.refused_per_served(run([user(fate=LEFT)], calls)))


def test_bad_news_is_timed_for_those_who_got_it():
    """The seconds of users served are no part of it; with all served there was none."""
    users = [user(seconds=50.0), user(fate=REFUSED, seconds=0.5), user(fate=LEFT, seconds=60.0)]
    assert figures.bad_news_s(0.5)(run(users)) == 0.5
    assert figures.bad_news_s(1.0)(run(users)) == 60.0
    assert figures.bad_news_s(1.0)(run([user()])) == 0.0


def test_latency_is_set_against_healthy_keys():
    """The ratio of the same percentiles; not known without the healthy run."""
    slow, healthy = run([user(seconds=3.0)]), run([user(seconds=1.5)])
    assert figures.times_healthy(0.95)(replace(slow, healthy=healthy)) == 2.0
    assert math.isnan(figures.times_healthy(0.95)(slow))


def test_calls_in_an_outage_are_set_against_its_users():
    """Calls and users outside it count for nothing."""
    users = [user(at=5.0), user(at=15.0), user(at=16.0)]
    calls = [call(at=9.9), call(at=10.0), call(at=20.0)]
    assert figures.calls_per_user_between(10.0, 20.0)(run(users, calls)) == 0.5


@pytest.mark.parametrize(
    ("failed_at", "recovered"),
    [((), 0.0), ((150.0,), 0.0), ((100.0, 100.5, 101.0, 101.5), 1.0), ((246.0, 247.0, 248.0, 249.0), 149.5)],
)
def test_recovery_is_when_nearly_all_later_users_are_served(failed_at, recovered):
    """One in a hundred of all who come later may fail; those before the end of the outage count for nothing."""
    users = [user(at=100.0 + number / 2) for number in range(300)]
    users = [replace(one, fate=LEFT) if one.at in failed_at else one for one in users]
    early = [user(at=50.0, fate=LEFT)]
    assert figures.recovery_s(100.0)(run([*early, *users])) == recovered


def test_recovery_that_never_comes_is_infinite():
    """Without anybody served after it there is no recovery."""
    assert figures.recovery_s(100.0)(run([user(at=101.0, fate=LEFT)])) == math.inf


def test_the_peak_is_the_densest_five_seconds_over_what_users_ask():
    """Ten calls within five seconds where five users come: twice the offered load."""
    calls = [call(at=21.0 + number / 10) for number in range(10)] + [call(at=40.0), call(at=60.0)]
    assert figures.peak_times_offered(20.0)(run([], calls)) == 2.0


def test_keys_are_in_use_when_they_served():
    """A key that only failed, or served before, is not in use; with one missing the balance is nothing."""
    calls = [call(at=20.0), call(at=21.0), call(at=22.0, key="key-1"), call(at=23.0, key="key-1", outcome="503")]
    assert figures.keys_in_use(15.0)(run([], calls)) == 2
    assert figures.least_to_most_used(15.0)(run([], calls)) == 0.5
    assert figures.least_to_most_used(15.0)(run([], calls[:2])) == 0.0
