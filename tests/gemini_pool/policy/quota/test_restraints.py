"""What restrains a project: limits of each kind at their very bounds, presumed ones, and when each holds no longer."""

from __future__ import annotations

import itertools
import math

import pytest

from tests.gemini_pool.policy.quota.quota_service import answer, day_refusal, minute_refusal, token_refusal
from tests.gemini_pool.policy.quota.test_project_quota import Project
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, Outcome
from utils.gemini_pool.policy.quota.project_quota import ModelLimits

#: Los Angeles has eight hours left of its day; clocks may differ by a second.
MIDNIGHT_S = 8 * 3600.0 + 1.0


def presuming(*refused: Outcome, config: PoolConfig | None = None) -> Project:
    """Give a project to whose neighbour the service named limits."""
    config = config or PoolConfig()
    known = ModelLimits(config)
    Project(config, known).call(*refused)
    return Project(config, known)


@pytest.mark.parametrize(
    "config",
    [
        PoolConfig(requests_per_minute=5),
        PoolConfig(tokens_per_minute=500),
        PoolConfig(requests_per_day=5),
        PoolConfig(own_per_hour=5),
    ],
    ids=["requests", "tokens", "day", "own hour"],
)
def test_one_limit_of_any_kind_is_enough_to_be_limited(config: PoolConfig) -> None:
    """Else nobody would ask whether a call may begin."""
    assert Project(config).quota.limited
    assert not Project().quota.limited


@pytest.mark.parametrize("refused", [minute_refusal(9), token_refusal(900), day_refusal(9)])
def test_a_limit_named_to_a_neighbour_is_enough_to_be_limited(refused: Outcome) -> None:
    """It is presumed at once, and for as long as it is believed: for an hour here, and not until midnight."""
    project = presuming(refused, config=PoolConfig(believe_limit_s=3600.0))
    assert project.may_send()
    assert project.quota.limited
    project.pass_time(3599.9)
    assert project.may_send()
    assert project.quota.limited
    project.pass_time(0.1)
    assert project.may_send()
    assert not project.quota.limited


def test_a_project_that_was_told_nothing_new_is_limited_no_more_after_its_doubt() -> None:
    """The answer to the first call after an unexplained refusal ends it."""
    project = Project()
    project.call(Outcome(Kind.QUOTA, retry_after=2.0))
    project.pass_time(2.0)
    assert project.goes_alone()
    assert project.quota.limited
    project.call(answer())
    assert project.may_send()
    assert not project.quota.limited


def test_a_learned_limit_holds_until_its_very_end() -> None:
    """Whatever is asked first then."""
    for asked in range(3):
        project = Project(PoolConfig(believe_limit_s=3600.0))
        project.call(day_refusal(3), answer(), answer(), answer())
        project.pass_time(3599.9)
        assert project.quota.day_limit(project.now) == 3
        project.pass_time(0.1)
        if asked == 0:
            assert project.quota.day_limit(project.now) is None
        elif asked == 1:
            assert project.next_open_at() == project.now
        else:
            assert next(project.quota.free_times(project.now)) == project.now


def test_an_own_limit_goes_before_what_a_neighbour_was_told() -> None:
    """Ten were named to this project: five named to another are nothing to it."""
    known = ModelLimits(PoolConfig())
    project, other = Project(known=known), Project(known=known)
    project.call(*[answer()] * 10, minute_refusal(10))
    other.call(minute_refusal(5))
    project.pass_time(61.0)
    assert len(project.begin_all()) == 10


def test_a_smaller_presumption_counts_beside_a_declared_limit() -> None:
    """Of fifteen declared ten go at once, the others one at a time; a larger presumption changes nothing."""
    config = PoolConfig(requests_per_minute=15)
    project = presuming(minute_refusal(10), config=config)
    assert len(project.begin_all()) == 10
    larger = presuming(minute_refusal(20), config=config)
    assert len(larger.begin_all()) == 15


def test_a_presumption_that_was_refuted_is_refuted_up_to_its_number() -> None:
    """Three were not the limit; five may be, once three are believed no more."""
    config = PoolConfig(believe_limit_s=600.0)
    known = ModelLimits(config)
    project, other = Project(config, known), Project(config, known)
    other.call(minute_refusal(3))
    project.call(*[answer()] * 3)
    assert project.goes_alone()
    project.call(answer())
    assert not project.goes_alone()
    for one in (project, other):
        one.pass_time(601.0)
    other.call(minute_refusal(5))
    assert len(project.begin_all()) == 5


def test_beyond_a_presumed_minute_it_waits_for_a_place_in_it() -> None:
    """With a call under way: until the oldest of three is as old as the minute and the margin."""
    project = presuming(minute_refusal(3))
    for _ in range(3):
        project.begin()
        project.pass_time(1.0)
    assert not project.may_send()
    assert project.next_open_at() == 1061.0
    project.pass_time(57.9)
    assert not project.may_send()
    project.pass_time(0.1)
    assert project.now == 1061.0
    assert project.may_send()
    assert project.next_open_at() == project.now


@pytest.mark.parametrize(
    ("refused", "opens_at"), [(day_refusal(3), 1000.0 + MIDNIGHT_S), (token_refusal(300), math.inf)]
)
def test_beyond_a_presumed_day_or_tokens_it_waits_for_what_ends_it(refused: Outcome, opens_at: float) -> None:
    """Midnight, or the end of the call under way; before that it waits for nothing."""
    project = presuming(refused)
    project.call(answer(100))
    project.begin()
    assert project.may_send()
    assert project.next_open_at() == project.now
    project.end(project.now, answer(100))
    project.call(answer(100))
    assert project.goes_alone()
    project.begin()
    assert not project.may_send()
    assert project.next_open_at() == opens_at


def test_presumed_tokens_are_free_again_after_the_minute() -> None:
    """Calls go beside others then."""
    project = presuming(token_refusal(300))
    project.call(*[answer(100)] * 3)
    assert project.goes_alone()
    project.pass_time(60.9)
    assert project.goes_alone()
    project.pass_time(0.1)
    assert project.quota.may_send(project.now, 1)


def test_one_token_is_known_as_well_as_many() -> None:
    """A call that brought one lets nine more of its kind begin."""
    project = Project(PoolConfig(tokens_per_minute=10))
    project.call(answer(1))
    assert len(project.begin_all()) == 9


@pytest.mark.parametrize(("waited_s", "alone"), [(60.5, True), (58.9, False)])
def test_only_calls_that_the_service_counts_together_disprove_a_presumption(waited_s: float, alone: bool) -> None:
    """Three a minute are presumed and a fourth is answered: not if the first may have left the service's minute."""
    project = presuming(minute_refusal(3))
    project.call(*[answer()] * 3)
    project.pass_time(waited_s)
    project.call(answer())
    assert project.goes_alone() is alone


def test_what_began_after_the_call_proves_nothing_of_it() -> None:
    """A call within the limit was answered after a later one went beyond, of which nothing is known yet."""
    project = presuming(minute_refusal(3))
    project.call(answer())
    early = project.begin()
    project.pass_time(1.0)
    project.begin()
    project.begin()
    project.end(early, answer())
    assert not project.quota.may_send(project.now, 1)


def test_a_full_day_is_told_apart_from_a_full_presumption() -> None:
    """At the very number of a presumed day the next call goes alone; one before it does not."""
    project = presuming(day_refusal(3))
    project.call(answer(), answer())
    assert not project.goes_alone()
    project.call(answer())
    assert project.goes_alone()


def test_tokens_forecast_after_the_minute_count_none_that_left_it() -> None:
    """Both calls of 500 have left: two of their kind may go at once, and the next a minute later."""
    project = Project(PoolConfig(tokens_per_minute=1000))
    project.call(answer(500), answer(500))
    project.pass_time(61.0)
    times = list(itertools.islice(project.quota.free_times(project.now), 3))
    assert times == [project.now, project.now, project.now + 61.0]
    assert project.next_open_at() == project.now


def test_starts_are_forgotten_while_nothing_is_limited() -> None:
    """After ten minutes no more of them are held than a refusal may ask for: those of the last 72 seconds."""
    project = Project()
    for _ in range(60):
        project.call(answer())
        project.pass_time(10.0)
    assert project.quota.sent_today == 60
    assert project.quota.sent_since(0.0) <= 14
    hourly = Project(PoolConfig(own_per_hour=1000))
    for _ in range(60):
        hourly.call(answer())
        hourly.pass_time(10.0)
    assert hourly.quota.sent_since(0.0) <= 14


def test_calls_that_are_each_too_large_go_alone_when_the_last_has_left() -> None:
    """What is expected of one is more than the limit: none goes beside another, and the next after all of them."""
    project = Project(PoolConfig(tokens_per_minute=1000))
    for _ in range(3):
        project.call(answer(5000))
        project.pass_time(10.0)
    assert project.next_open_at() == 1081.0
    times = list(itertools.islice(project.quota.free_times(project.now), 3))
    assert times == [1081.0, 1142.0, 1203.0]
    project.pass_time(51.0)
    project.begin()
    assert project.next_open_at() == math.inf
