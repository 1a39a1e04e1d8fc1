"""What a refusal is explained by: a limit that is full, a part that others used, a margin, or nothing that is known."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from tests.gemini_pool.policy.quota.quota_service import answer, day_refusal, minute_refusal, refusal, token_refusal
from tests.gemini_pool.policy.quota.test_project_quota import Project
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, Outcome
from utils.gemini_pool.policy.quota.project_quota import Closed, ModelLimits
from utils.gemini_pool.policy.quota.texts import LimitNamed, Measure, Window

RPM, TPM, RPD = Measure.REQUESTS_PER_MINUTE, Measure.TOKENS_PER_MINUTE, Measure.REQUESTS_PER_DAY


def named(*limits: tuple[Measure, int | None], wait: float | None = 30.0) -> Outcome:
    """Give a refusal for a full minute that names these limits."""
    listed = tuple(LimitNamed(measure, value) for measure, value in limits)
    return Outcome(Kind.QUOTA, retry_after=wait, window=Window.MINUTE, limits=listed)


def doubtful(project: Project, *calls: Outcome) -> bool:
    """Make calls, wait for the end of the closure, and say whether one call at a time is all that is dared."""
    project.call(*calls)
    project.pass_time(30.0)
    return bool((project.quota.snapshot(0.0, project.now) or {}).get("unexplained"))


@pytest.mark.parametrize(
    ("answers", "refused", "unexplained"),
    [
        (5, named((RPM, 5)), False),
        (4, named((TPM, 500)), True),
        (4, named((TPM, 499)), False),
        (5, named((RPM, None)), True),
        (5, named(), True),
        (2, named((RPM, 5), (TPM, 299)), False),
        (2, named((TPM, 299), (RPM, 5)), False),
        (2, named((TPM, None), (RPM, 5)), False),
        (0, named((TPM, 50)), True),
    ],
)
def test_a_refusal_is_explained_by_a_limit_that_is_full(answers: int, refused: Outcome, unexplained: bool) -> None:
    """By requests, or by tokens with those that one more call is expected to bring; else nobody knows."""
    assert doubtful(Project(), *[answer(100)] * answers, refused) is unexplained


def test_a_spent_day_needs_no_other_reason() -> None:
    """It is closed until midnight, and afterwards nothing is doubted."""
    project = Project()
    project.call(answer(), day_refusal(250))
    assert project.quota.why is Closed.DAY
    project.pass_time(9 * 3600.0)
    assert not project.goes_alone()


def test_a_bare_refusal_is_explained_by_what_is_known() -> None:
    """Declared requests, declared tokens: full is a reason, one less is none."""
    for config, answers, unexplained in (
        (PoolConfig(requests_per_minute=3), 3, False),
        (PoolConfig(tokens_per_minute=299), 2, False),
        (PoolConfig(tokens_per_minute=300), 2, True),
        (PoolConfig(), 3, True),
    ):
        assert doubtful(Project(config), *[answer(100)] * answers, named()) is unexplained


def test_an_answer_to_a_later_call_ends_the_doubt() -> None:
    """One to a call that was under way before does not."""
    project = Project()
    before = project.begin()
    project.pass_time(1.0)
    project.call(named(wait=2.0))
    project.pass_time(3.0)
    project.end(before, answer())
    assert project.goes_alone()
    project.call(answer())
    assert not project.goes_alone()
    assert project.may_send()


def test_what_others_used_of_a_limit_is_left_to_them() -> None:
    """Refused for a limit of 10 after 3 requests: 3 in a minute are ours, and one more every two minutes."""
    project = Project()
    project.call(*[answer()] * 3, minute_refusal(10))
    project.pass_time(61.0)
    assert len(project.begin_all()) == 3
    alone = Project()
    alone.call(minute_refusal(10))
    alone.pass_time(61.0)
    assert len(alone.begin_all()) == 1


def test_a_limit_that_is_just_reached_is_not_shared() -> None:
    """As many as it allows were sent: it is ours alone."""
    project = Project()
    project.call(*[answer()] * 4, minute_refusal(4))
    project.pass_time(62.0)
    assert len(project.begin_all()) == 4
    assert project.quota.wall is None


def test_a_wall_is_remembered_until_the_next_refusal() -> None:
    """With when it ends and when its oldest request was; of a wait in whole seconds the latter is not known."""
    project = Project()
    project.pass_time(100.0)
    project.call(answer(), minute_refusal(10, wait=20.5))
    wall = project.quota.wall
    assert wall is not None
    assert (wall.until, wall.limit, wall.oldest_at) == (project.now + 20.5, 10, project.now + 20.5 - 60.0)
    project.pass_time(30.0)
    project.call(minute_refusal(10, wait=20.0))
    whole = project.quota.wall
    assert whole is not None
    assert whole.oldest_at is None
    project.pass_time(30.0)
    project.call(day_refusal(250))
    assert project.quota.wall is None


@pytest.mark.parametrize(("wait", "margin_s"), [(3.9, 1.5), (4.0, 1.0), (None, 1.0)])
def test_a_short_wait_while_our_count_says_free_widens_the_margin(wait: float | None, margin_s: float) -> None:
    """The places had just come free by our clock: by half each time, for less than four seconds only."""
    project = Project(PoolConfig(requests_per_minute=3))
    project.call(*[answer()] * 3)
    project.pass_time(61.5)
    project.call(named((RPM, 3), wait=wait))
    document = project.quota.snapshot(0.0, project.now)
    assert document is not None
    assert document["margin_s"] == margin_s


def test_calls_begun_before_the_margin_was_widened_widen_it_no_more() -> None:
    """They met the same wall."""
    project = Project(PoolConfig(requests_per_minute=3))
    project.call(*[answer()] * 3)
    project.pass_time(61.5)
    calls = [project.begin(), project.begin()]
    for at in calls:
        project.end(at, named((RPM, 3), wait=2.0))
    document = project.quota.snapshot(0.0, project.now)
    assert document is not None
    assert document["margin_s"] == 1.5


def test_a_margin_outlasts_a_restart_up_to_its_cap() -> None:
    """The wider of the two, and never more than the widest."""
    for written, margin_s in ((2.0, 2.0), (0.5, 1.0), (50.0, 8.0)):
        project = Project(PoolConfig(requests_per_minute=3))
        project.quota.restore({"margin_s": written, "starts": [project.now]}, 0.0, project.now)
        document = project.quota.snapshot(0.0, project.now)
        assert document is not None
        assert document["margin_s"] == margin_s


def test_the_count_of_the_day_outlasts_a_restart_on_the_same_day() -> None:
    """Nothing is counted twice; at the very end of the day it is another."""
    for later_s, today in ((10.0, 3), (8 * 3600.0 + 0.9, 3), (8 * 3600.0 + 1.1, 0)):
        project = Project(PoolConfig(requests_per_day=5))
        project.call(*[answer()] * 3)
        again = project.restarted(later_s)
        assert again.quota.sent_today == today


def test_two_parts_of_a_project_keep_the_newer_limit_and_the_earlier_wall() -> None:
    """Doubts of either end; what both sent in the last minute is what is left to them of a limit."""
    known = ModelLimits(PoolConfig())
    first, second = Project(known=known), Project(known=known)
    first.call(answer(), minute_refusal(10, wait=20.5))
    for project in (first, second):
        project.pass_time(2.0)
    second.call(answer(), answer(), minute_refusal(8, wait=20.5))
    early, late = first.quota.wall, second.quota.wall
    first.quota.absorb(second.quota, first.now)
    assert first.quota.wall is early
    first.pass_time(70.0)
    assert len(first.begin_all()) == 3
    again = Project(known=known, now=first.now)
    again.quota.absorb(second.quota, again.now)
    assert again.quota.wall is late


def test_a_project_whose_whole_limit_both_parts_used_has_all_of_it() -> None:
    """Nobody else has a share then."""
    known = ModelLimits(PoolConfig())
    first, second = Project(known=known), Project(known=known)
    first.call(answer(), answer(), minute_refusal(4))
    second.call(answer(), answer(), minute_refusal(4))
    first.quota.absorb(second.quota, first.now)
    first.pass_time(62.0)
    assert len(first.begin_all()) == 4


def test_a_probe_that_is_answered_refutes_the_limit_of_the_day_only() -> None:
    """A day's limit that we are beyond is presumed no more; a limit for a minute stays."""
    project = Project()
    project.call(answer(), day_refusal(1))
    project.pass_time(3600.0)
    project.call(answer())
    assert project.quota.day_limit(project.now) is None
    minute = Project()
    minute.call(*[answer()] * 4, minute_refusal(4))
    minute.pass_time(62.0)
    minute.call(answer())
    assert len(minute.begin_all()) == 3


def test_tokens_nobody_told_of_are_expected() -> None:
    """A cancelled call is counted with what calls usually bring; one that was never sent is not."""
    project = Project(PoolConfig(tokens_per_minute=300))
    project.call(answer(100), Outcome(Kind.CANCELLED))
    assert len(project.begin_all()) == 1
    unsent = Project(PoolConfig(tokens_per_minute=300))
    unsent.call(answer(100), Outcome(Kind.CALLER, requests=0))
    assert len(unsent.begin_all()) == 2
    assert token_refusal(5).limits[0].measure is TPM
    assert refusal().kind is Kind.QUOTA


@pytest.mark.parametrize(
    ("limits", "shared"),
    [
        (((RPM, 10),), True),
        (((RPM, None),), False),
        (((TPM, 1000),), False),
        ((), False),
    ],
)
def test_only_a_refusal_that_names_its_limit_says_that_others_used_it(
    limits: tuple[tuple[Measure, int | None], ...], shared: bool
) -> None:
    """Below the ten that are declared; else nobody knows why, and calls go one at a time."""
    project = Project(PoolConfig(requests_per_minute=10))
    project.call(*[answer(100)] * 3, named(*limits, wait=30.5))
    assert (project.quota.wall is not None) is shared
    project.pass_time(61.0)
    assert len(project.begin_all()) == (3 if shared else 1)


@pytest.mark.parametrize(("tokens", "alone"), [(400, False), (100, True)])
def test_a_full_minute_of_tokens_explains_a_refusal_below_the_limit_of_requests(tokens: int, alone: bool) -> None:
    """Three of ten requests were sent; with what one more is expected to bring, 1,200 tokens would be too many."""
    project = Project(PoolConfig(requests_per_minute=10, tokens_per_minute=1500))
    project.call(*[answer(tokens)] * 3, named(wait=30.5))
    project.pass_time(61.0)
    assert project.goes_alone() is alone


def test_a_limit_just_named_is_what_explains_the_refusal_and_not_the_one_declared() -> None:
    """Three hundred tokens are too many for the 250 that were declared, not for the 1,000 that hold."""
    project = Project(PoolConfig(tokens_per_minute=250))
    project.call(answer(100), answer(100), named((TPM, 1000)))
    project.pass_time(30.0)
    assert project.goes_alone()


@pytest.mark.parametrize(("answers", "left"), [(3, 0), (4, 100)])
def test_a_limit_of_the_day_is_refuted_only_by_an_answer_beyond_it(answers: int, left: int) -> None:
    """The answer to the probe was the fourth of the day: it is within four, and beyond three."""
    project = Project()
    project.call(*[answer()] * 3, day_refusal(7 - answers))
    project.pass_time(3600.0)
    project.call(answer())
    assert len(project.begin_all()) == left


def test_a_refusal_asks_the_wall_clock_for_midnight() -> None:
    """It was set an hour forward since: the day ends an hour sooner."""
    project = Project()
    project.wall += 3600.0
    project.call(day_refusal(5))
    assert project.quota.until == project.now + 7 * 3600.0 + 1.0


def test_the_first_call_of_a_day_asks_the_wall_clock_for_its_end() -> None:
    """In the night in which clocks go back a day has 25 hours, which nobody knew when it began."""
    here = dt.datetime(2026, 10, 31, 16, tzinfo=ZoneInfo("America/Los_Angeles"))
    project = Project(PoolConfig(requests_per_day=3), wall=here.timestamp())
    project.pass_time(8 * 3600.0 + 1.0)
    project.call(*[answer()] * 3)
    assert not project.may_send()
    assert project.next_open_at() == project.now + 25 * 3600.0
