"""Quota of one (project, model): windows, closures, and what refusals teach."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import pytest

from tests.gemini_pool.policy.quota.quota_service import (
    answer,
    day_refusal,
    minute_refusal,
    refusal,
    token_refusal,
)
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, Outcome
from utils.gemini_pool.policy.quota.project_quota import Closed, ModelLimits, ProjectQuota
from utils.gemini_pool.policy.quota.texts import Measure

PACIFIC = ZoneInfo("America/Los_Angeles")
#: 2026-11-20 16:00 in Los Angeles.
WALL = 1_795_219_200.0
OK = answer()
NO_QUOTA = Outcome(Kind.NO_QUOTA_HERE)
CANCELLED = Outcome(Kind.CANCELLED)
NEVER_SENT = Outcome(Kind.CALLER, requests=0)
BARE = refusal(message="Resource has been exhausted (e.g. check quota).")


@dataclass
class Project:
    """A project's quota with the time it is."""

    config: PoolConfig = field(default_factory=PoolConfig)
    known: ModelLimits | None = None
    now: float = 1000.0
    wall: float = WALL
    in_flight: int = 0

    def __post_init__(self) -> None:
        self.known = self.known or ModelLimits(self.config)
        self.quota = ProjectQuota(self.config, self.known, self.now, self.wall)

    def pass_time(self, seconds: float) -> None:
        """Let time go by on both clocks."""
        self.now += seconds
        self.wall += seconds

    def begin(self) -> float:
        """Begin a call, allowed or not; answers its start."""
        self.quota.start(self.now)
        self.in_flight += 1
        return self.now

    def end(self, started_at: float, outcome: Outcome) -> None:
        """End a call."""
        self.in_flight -= 1
        self.quota.end(started_at, outcome, self.now, self.wall, self.in_flight)

    def call(self, *outcomes: Outcome) -> None:
        """Make calls one after another, at once."""
        for outcome in outcomes:
            self.end(self.begin(), outcome)

    def may_send(self) -> bool:
        """Whether a call may begin now."""
        return self.quota.may_send(self.now, self.in_flight)

    def goes_alone(self) -> bool:
        """Whether a call may begin now, but none beside another: it may well be refused."""
        return self.quota.may_send(self.now, 0) and not self.quota.may_send(self.now, 1)

    def begin_all(self, most: int = 100) -> list[float]:
        """Begin calls until no more may begin; answers their starts."""
        begun: list[float] = []
        while len(begun) < most and self.may_send():
            begun.append(self.begin())
        return begun

    def next_open_at(self) -> float:
        """When the next call may begin."""
        return self.quota.next_open_at(self.now, self.in_flight)

    def restarted(self, after_s: float = 10.0) -> Project:
        """Start again with another monotonic clock, so many seconds later."""
        document = self.quota.snapshot(self.wall - self.now, self.now)
        again = Project(self.config, now=self.now / 7.0, wall=self.wall + after_s)
        if document is not None:
            again.quota.restore(document, again.wall - again.now, again.now)
        return again


def test_a_project_of_which_nothing_is_known_is_not_limited() -> None:
    """Any number of calls, and nothing to ask before them."""
    project = Project()
    assert not project.quota.limited
    assert len(project.begin_all()) == 100
    assert project.next_open_at() == project.now


@pytest.mark.parametrize(
    ("config", "length_s"),
    [
        (PoolConfig(requests_per_minute=5), 61.0),
        (PoolConfig(own_per_second=5), 1.0),
        (PoolConfig(own_per_minute=5), 60.0),
        (PoolConfig(own_per_hour=5), 3600.0),
    ],
    ids=["requests per minute", "own per second", "own per minute", "own per hour"],
)
def test_no_window_ever_holds_more_than_its_limit(config: PoolConfig, length_s: float) -> None:
    """A place comes free when its start is as old as the window; only the service's has a margin."""
    project = Project(config)
    assert project.quota.limited
    assert len(project.begin_all()) == 5
    assert project.next_open_at() == project.now + length_s
    project.pass_time(length_s - 0.01)
    assert not project.may_send()
    project.now = project.next_open_at()
    assert len(project.begin_all()) == 5


def test_requests_of_a_day_come_back_at_midnight_in_los_angeles() -> None:
    """Declared or not: eight hours after 16:00, and a second for clocks that differ."""
    project = Project(PoolConfig(requests_per_day=3))
    assert len(project.begin_all()) == 3
    assert project.next_open_at() == project.now + 8 * 3600.0 + 1.0
    project.pass_time(8 * 3600.0)
    assert not project.may_send()
    project.pass_time(1.0)
    assert len(project.begin_all()) == 3


def test_tokens_are_kept_to_by_what_a_call_is_expected_to_bring() -> None:
    """Ten calls of 100 tokens fill 1,000; those in flight count with what is expected of them."""
    project = Project(PoolConfig(tokens_per_minute=1000))
    project.call(*[answer(100)] * 6)
    assert len(project.begin_all()) == 4
    assert project.next_open_at() == project.now + 61.0
    project.pass_time(61.0)
    assert project.may_send()


def test_until_a_call_has_told_its_tokens_one_goes_alone() -> None:
    """Nothing is expected yet, so many at once could bring anything."""
    project = Project(PoolConfig(tokens_per_minute=1000))
    assert len(project.begin_all()) == 1
    assert project.next_open_at() == float("inf")
    project.end(project.now, answer(100))
    assert len(project.begin_all()) == 9


def test_a_call_larger_than_the_limit_may_still_be_tried_alone() -> None:
    """What is expected is only a guess, and must not close a project for ever."""
    project = Project(PoolConfig(tokens_per_minute=1000))
    project.call(answer(5000))
    project.pass_time(61.0)
    assert project.next_open_at() == project.now
    assert len(project.begin_all()) == 1


def test_tokens_that_nobody_told_count_as_expected() -> None:
    """A cancelled call was counted by the service."""
    project = Project(PoolConfig(tokens_per_minute=1000))
    project.call(*[answer(500)], CANCELLED)
    assert not project.may_send()


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (OK, 4),
        (CANCELLED, 4),
        (Outcome(Kind.FAULT), 4),
        (NEVER_SENT, 5),
        (Outcome(Kind.CANCELLED, requests=0), 5),
        (Outcome(Kind.OK, requests=3), 2),
        (Outcome(Kind.FAULT, requests=2), 3),
    ],
)
def test_a_call_takes_as_many_places_as_it_sent_requests(outcome: Outcome, left: int) -> None:
    """What was never sent takes none; a cancelled call keeps its place, because the service has counted it."""
    project = Project(PoolConfig(requests_per_minute=5, own_per_hour=5, requests_per_day=5))
    project.call(outcome)
    assert len(project.begin_all()) == left


def test_a_refused_call_gives_its_place_back() -> None:
    """Of three requests that a call sent only the last was refused."""
    project = Project()
    project.call(OK, OK, minute_refusal(5, 2.0))
    assert project.quota.sent_since(0.0) == 2
    project.call(Outcome(Kind.QUOTA, requests=3))
    assert project.quota.sent_since(0.0) == 4
    assert project.quota.sent_today == 4


def test_a_limit_named_by_a_refusal_is_kept_to_from_then_on() -> None:
    """After the first refusal no call is begun that would be refused for the same reason."""
    project = Project()
    project.call(OK, OK, OK, minute_refusal(3, 20.0))
    project.pass_time(20.0)
    assert not project.may_send()
    assert project.next_open_at() == 1061.0
    project.now = 1061.0
    assert len(project.begin_all()) == 3


def test_what_the_service_names_outranks_what_was_declared() -> None:
    """For a day; then the declared limit holds again."""
    project = Project(PoolConfig(requests_per_minute=2, own_per_hour=1000))
    project.call(*[OK] * 4, minute_refusal(4))
    project.pass_time(61.0)
    assert len(project.begin_all()) == 4
    project.pass_time(86_400.0)
    assert len(project.begin_all()) == 2


def test_of_several_violations_each_is_learned() -> None:
    """Requests and tokens at once: both hold from then on."""
    both = refusal(("RequestsPerMinute", 4), ("InputTokensPerModelPerMinute", 1000), wait=20.0)
    project = Project()
    project.call(*[answer(250)] * 4, both)
    project.pass_time(61.0)
    project.call(answer(800))
    assert not project.may_send()
    project.pass_time(61.0)
    project.call(*[answer(1)] * 4)
    assert not project.may_send()


def test_a_minute_wall_lasts_as_long_as_told_and_a_minute_when_untold() -> None:
    """Until now + retryDelay nothing is sent."""
    project = Project()
    project.call(minute_refusal(5, 30.0))
    assert (project.quota.until, project.quota.why) == (project.now + 30.0, Closed.MINUTE)
    project.pass_time(29.9)
    assert not project.may_send()
    assert not project.quota.wants_probe(project.now)
    project.pass_time(0.1)
    assert project.may_send()
    project.call(BARE)
    assert project.quota.until == project.now + 60.0


def test_a_wait_of_nothing_is_not_obeyed() -> None:
    """A delay rounded down to 0 would be asked again at once, and refused."""
    project = Project()
    project.call(refusal(wait=0.0))
    assert project.next_open_at() == project.now + 1.0


def test_a_later_shorter_wait_never_shortens_a_longer_one() -> None:
    """Calls that were under way when the wall was met report their own waits; one never sent reports none."""
    project = Project()
    first, second, third, fourth = (project.begin() for _ in range(4))
    project.end(first, minute_refusal(5, 40.0))
    project.end(second, minute_refusal(5, 5.0))
    project.end(third, NEVER_SENT)
    assert project.quota.until == project.now + 40.0
    project.end(fourth, day_refusal(5))
    assert project.quota.why is Closed.DAY


def test_an_answer_of_a_call_begun_before_opens_nothing() -> None:
    """Only a call that was sent to find out can say that the wall fell."""
    project = Project()
    early = project.begin()
    project.call(day_refusal(5))
    project.end(early, OK)
    assert not project.may_send()


@pytest.mark.parametrize(
    ("here", "hours"),
    [((2026, 11, 21, 12), 12), ((2026, 3, 8, 0), 23), ((2026, 11, 1, 0), 25), ((2026, 11, 1, 3), 21)],
)
def test_a_spent_day_ends_at_midnight_on_every_day(here: tuple[int, int, int, int], hours: int) -> None:
    """Also on the days of 23 and 25 hours; a second later, since clocks differ."""
    project = Project(wall=dt.datetime(*here, tzinfo=PACIFIC).timestamp())
    project.call(day_refusal(5))
    assert project.quota.until == project.now + hours * 3600.0 + 1.0
    project.now = project.quota.until
    assert project.may_send()


def test_a_spent_day_is_probed_once_an_hour() -> None:
    """In case the label lied. A refused probe waits for the next hour; one that told nothing may be repeated."""
    project = Project()
    project.call(*[OK] * 3, day_refusal(3))
    assert project.next_open_at() == project.now + 3600.0
    project.pass_time(3600.0)
    assert not project.may_send()
    assert project.quota.wants_probe(project.now)
    probe = project.begin()
    assert project.quota.probing
    assert not project.quota.wants_probe(project.now)
    project.end(probe, day_refusal(3))
    assert not project.quota.wants_probe(project.now)
    project.pass_time(3600.0)
    project.call(CANCELLED)
    assert project.quota.wants_probe(project.now)
    project.call(OK)
    # the limit of three was none: a fourth was answered on the same day
    assert len(project.begin_all()) == 100


def test_a_day_closed_by_a_refusal_from_the_day_before_keeps_its_limit() -> None:
    """A call begun before midnight, refused after it, closes the wrong day; the probe opens it and refutes nothing."""
    project = Project()
    project.call(*[OK] * 3, day_refusal(3))
    project.pass_time(3600.0)
    late = project.begin()
    project.pass_time(24 * 3600.0)
    project.end(late, day_refusal(3))
    project.pass_time(3600.0)
    project.call(OK)
    assert len(project.begin_all()) == 2


def test_a_probe_of_a_day_refused_for_the_minute_waits_as_long_as_told() -> None:
    """The minute says nothing about the day, and is not asked again at once."""
    project = Project()
    project.call(day_refusal(3))
    project.pass_time(3600.0)
    project.call(minute_refusal(5, 20.0))
    assert project.quota.why is Closed.DAY
    assert project.next_open_at() == project.now + 20.0


def test_a_project_without_quota_gets_one_probe_a_day() -> None:
    """It stays closed until one is answered, however long that takes."""
    project = Project()
    project.call(NO_QUOTA)
    assert project.quota.why is Closed.NO_QUOTA
    for _ in range(3):
        assert project.next_open_at() == project.now + 86_400.0
        project.pass_time(86_400.0)
        assert not project.may_send()
        probe = project.begin()
        assert project.next_open_at() == float("inf")
        project.end(probe, NO_QUOTA)
    project.pass_time(86_400.0)
    project.call(OK)
    assert project.may_send()


def test_a_refusal_that_comes_a_little_early_widens_the_margin_and_teaches_nothing_else() -> None:
    """Half as much again, up to the cap; the limit stays what it was, and no share is set."""
    project = Project(PoolConfig(requests_per_minute=2))
    waits = []
    for _ in range(8):
        project.now = project.next_open_at()
        project.call(OK, OK)
        first = project.now
        project.now = project.next_open_at()
        waits.append(project.now - first)
        project.call(minute_refusal(2, 1.0))
        assert project.quota.wall is None
        project.pass_time(70.0)
    assert waits[:4] == pytest.approx([61.0, 61.5, 62.25, 63.375])
    assert waits[-1] == pytest.approx(68.0)
    assert len(project.begin_all()) == 2


def test_calls_under_way_widen_the_margin_once() -> None:
    """They all began under the margin that was too small."""
    project = Project(PoolConfig(requests_per_minute=3))
    project.call(OK, OK, OK)
    project.pass_time(61.0)
    begun = project.begin_all()
    for started_at in begun:
        project.end(started_at, minute_refusal(3, 1.0))
    project.pass_time(100.0)
    project.begin_all()
    assert project.next_open_at() == project.now + 61.5


def test_a_refusal_below_the_limit_sets_a_share_that_grows() -> None:
    """What was left to us, and one more every two minutes, until it is the limit again."""
    project = Project()
    project.call(*[OK] * 4, minute_refusal(15, 30.0))
    wall = project.quota.wall
    assert wall is not None
    assert (wall.at, wall.until, wall.limit) == (project.now, project.now + 30.0, 15)
    project.pass_time(70.0)
    assert len(project.begin_all()) == 4
    project.pass_time(120.0)
    assert len(project.begin_all()) == 5
    project.pass_time(10 * 120.0)
    assert len(project.begin_all()) == 15


def test_a_limit_named_to_another_project_is_presumed() -> None:
    """Up to it calls go at once, beyond it one at a time, until an answer beyond it disproves it."""
    known = ModelLimits(PoolConfig())
    other, project = Project(known=known), Project(known=known)
    limited = [project.quota.limited]
    other.call(*[OK] * 3, minute_refusal(3))
    limited.append(project.quota.limited)
    assert limited == [False, True]
    begun = project.begin_all()
    assert len(begun) == 3
    for started_at in begun:
        project.end(started_at, OK)
    assert project.goes_alone()
    assert len(project.begin_all()) == 1
    assert project.next_open_at() == project.now + 61.0
    project.end(project.now, OK)
    assert not project.goes_alone()
    assert len(project.begin_all()) == 100


def test_an_answer_that_the_clocks_may_explain_disproves_nothing() -> None:
    """Three starts of 60.5 s ago may have left the service's minute already."""
    known = ModelLimits(PoolConfig())
    other, project = Project(known=known), Project(known=known)
    other.call(*[OK] * 3, minute_refusal(3))
    project.call(*[OK] * 3)
    project.pass_time(60.5)
    project.call(OK)
    assert len(project.begin_all()) == 1


@pytest.mark.parametrize(("named", "measure"), [(day_refusal(3), "day"), (token_refusal(300), "tokens")])
def test_days_and_tokens_are_presumed_too(named: Outcome, measure: str) -> None:
    """Beyond what was named to another project one call goes at a time."""
    known = ModelLimits(PoolConfig())
    other, project = Project(known=known), Project(known=known)
    other.call(*[OK] * 3, named)
    project.call(OK, OK, OK)
    assert len(project.begin_all()) == 1, measure
    project.end(project.now, OK)
    assert len(project.begin_all()) == 100


def test_a_presumption_is_believed_for_a_day() -> None:
    """Limits are raised."""
    known = ModelLimits(PoolConfig())
    other, project = Project(known=known), Project(known=known)
    other.call(minute_refusal(3))
    project.pass_time(86_400.0)
    assert len(project.begin_all()) == 100
    assert not project.quota.limited


def test_limits_declared_for_one_model_stand_above_the_general_ones() -> None:
    """The operator knows this model better."""
    config = PoolConfig(requests_per_minute=50)
    known = ModelLimits(config, {Measure.REQUESTS_PER_MINUTE: 7})
    assert len(Project(config, known).begin_all()) == 7


@pytest.mark.parametrize("refused", [BARE, refusal(("RequestsPerMinute", None), wait=60.0), refusal(("Odd", 9))])
def test_while_a_refusal_is_unexplained_calls_go_one_at_a_time(refused: Outcome) -> None:
    """Until a call that was begun after it is answered."""
    project = Project()
    early = project.begin()
    project.call(refused)
    project.end(early, OK)
    project.pass_time(60.0)
    assert project.goes_alone()
    assert len(project.begin_all()) == 1
    assert project.next_open_at() == float("inf")
    project.end(project.now, OK)
    assert len(project.begin_all()) == 100


def test_a_bare_refusal_is_explained_by_a_limit_that_is_full() -> None:
    """What is declared as three and has sent three needs no other reason."""
    project = Project(PoolConfig(requests_per_minute=3))
    project.call(OK, OK, OK)
    project.call(BARE)
    project.pass_time(61.0)
    assert len(project.begin_all()) == 3


def test_a_token_refusal_far_below_the_limit_is_unexplained() -> None:
    """One call too large for the limit says nothing about the next, which goes alone."""
    project = Project()
    project.call(answer(10), token_refusal(1000))
    project.pass_time(61.0)
    assert len(project.begin_all()) == 1


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 86_400.0, -86_400.0])
def test_a_wall_clock_that_jumps_changes_no_count(jump: float) -> None:
    """The day ends by the clock that only runs forward; the next refusal or midnight asks the wall again."""
    project = Project(PoolConfig(requests_per_day=3))
    project.call(OK, OK)
    project.wall += jump
    assert len(project.begin_all()) == 1
    project.pass_time(3600.0)
    assert not project.may_send()
    project.wall -= jump
    project.pass_time(7 * 3600.0 + 1.0)
    assert len(project.begin_all()) == 3


def test_a_wall_clock_that_is_a_little_behind_sees_the_same_midnight_once() -> None:
    """A day begins once: the calls of its first second are not forgotten a second later."""
    project = Project(PoolConfig(requests_per_day=3))
    project.wall -= 5.0
    project.pass_time(8 * 3600.0 + 1.0)
    project.call(OK, OK, OK)
    project.pass_time(10.0)
    assert not project.may_send()
    assert project.next_open_at() == pytest.approx(project.now + 24 * 3600.0, abs=20.0)


def test_what_was_sent_around_midnight_counts_to_both_days() -> None:
    """The service may have counted it in either."""
    project = Project(PoolConfig(requests_per_day=3))
    project.pass_time(8 * 3600.0)
    project.call(OK)
    project.pass_time(1.5)
    assert len(project.begin_all()) == 2


def test_free_times_are_the_places_in_their_order() -> None:
    """Two at once, then as old calls leave, then behind the ones told before; never back, and without end."""
    project = Project(PoolConfig(requests_per_minute=3))
    project.call(OK)
    project.pass_time(10.0)
    times = list(itertools.islice(project.quota.free_times(project.now), 7))
    assert times == [1010.0, 1010.0, 1061.0, 1071.0, 1071.0, 1122.0, 1132.0]


@pytest.mark.parametrize(
    ("config", "outcomes"),
    [
        (PoolConfig(own_per_second=2, own_per_hour=30), (OK,)),
        (PoolConfig(requests_per_day=4, requests_per_minute=3), (OK,)),
        (PoolConfig(tokens_per_minute=350), (OK, OK)),
        (PoolConfig(), (OK, OK, minute_refusal(2))),
        (PoolConfig(), (OK, minute_refusal(5))),
        (PoolConfig(), (OK, day_refusal(1))),
    ],
)
def test_whoever_comes_at_a_free_time_may_send(config: PoolConfig, outcomes: tuple[Outcome, ...]) -> None:
    """Each place told is one: a call begun at each of the times keeps within everything known."""
    project = Project(config)
    project.call(*outcomes)
    times = list(itertools.islice(project.quota.free_times(project.now), 12))
    assert times == sorted(times)
    for at in times:
        project.pass_time(at - project.now)
        assert project.may_send()
        project.call(OK)


def test_calls_that_go_one_at_a_time_are_told_the_usual_time_apart() -> None:
    """A guess: the next may begin when the one before has its answer."""
    project = Project()
    project.call(BARE)
    times = list(itertools.islice(project.quota.free_times(project.now), 3))
    assert times == [1060.0, 1062.5, 1065.0]


def test_beyond_a_presumed_limit_places_are_the_usual_time_apart() -> None:
    """The first two of three are free; then one at a time, or as places come free, if that is sooner."""
    known = ModelLimits(PoolConfig())
    Project(known=known).call(minute_refusal(3))
    project = Project(known=known)
    project.call(OK)
    times = list(itertools.islice(project.quota.free_times(project.now), 4))
    assert times == [1000.0, 1000.0, 1002.5, 1005.0]


def test_a_restart_forgets_nothing_that_was_sent() -> None:
    """Starts, tokens, day and hour go on where they were, on the clock of the new process."""
    project = Project(PoolConfig(requests_per_minute=5, requests_per_day=20, tokens_per_minute=10_000, own_per_hour=9))
    project.call(*[answer(1000)] * 4)
    again = project.restarted()
    assert again.quota.sent_today == 4
    assert len(again.begin_all()) == 1
    assert again.next_open_at() == pytest.approx(again.now + 51.0, abs=0.01)
    again.pass_time(61.0)
    assert len(again.begin_all()) == 4
    assert again.next_open_at() == pytest.approx(again.now + 3600.0 - 71.0, abs=0.01)


@pytest.mark.parametrize("refused", [minute_refusal(15, 50.0), day_refusal(15), NO_QUOTA])
def test_a_restart_forgets_no_closure(refused: Outcome) -> None:
    """It ends when it would have, and its probe is due when it was."""
    project = Project()
    project.call(*[OK] * 3, refused)
    again = project.restarted()
    assert again.quota.limited
    assert not again.may_send()
    assert again.quota.why is project.quota.why
    assert again.quota.until - again.now == pytest.approx(project.quota.until - project.now - 10.0)
    assert again.next_open_at() - again.now == pytest.approx(project.next_open_at() - project.now - 10.0)


def test_a_restart_forgets_no_limit_and_no_share() -> None:
    """What was learned holds, is presumed for the others again, and grows as it did."""
    project = Project()
    project.call(*[OK] * 4, minute_refusal(15, 30.0))
    again = project.restarted(after_s=70.0)
    assert len(again.begin_all()) == 4
    assert again.known is not None
    assert again.known.presumed(Measure.REQUESTS_PER_MINUTE, again.now) == 15
    again.pass_time(60.0)
    again.pass_time(10.0)
    assert len(again.begin_all()) == 5


def test_an_untouched_project_has_nothing_to_write_down() -> None:
    """Nor has one whose calls and closures are over."""
    project = Project()
    assert project.quota.snapshot(0.0, project.now) is None
    project.call(OK, BARE)
    project.pass_time(60.0)
    project.call(OK)
    project.pass_time(2 * 86_400.0)
    assert project.quota.snapshot(0.0, project.now) is None


@pytest.mark.parametrize(
    "document",
    [
        {"closed": {"why": "never heard of", "until": 9e12}},
        {"closed": "yes", "limits": [], "day": 5, "starts": {}, "tokens": "all"},
        {"limits": {"requests_per_minute": {"value": "many", "until": None}}},
        {"limits": {"requests_per_minute": {"value": -3, "until": 9e12}}},
        {"starts": ["now", None, float("nan")], "tokens": [[1], [1, 2, 3], ["a", "b"]]},
        {"day": {"requests": -5, "ends": 9e12}, "margin_s": float("nan")},
        {"something else": {}},
    ],
)
def test_a_document_of_another_shape_is_ignored(document: Mapping[str, object]) -> None:
    """A store of another version never stops the pool."""
    project = Project()
    project.quota.restore(document, WALL - 1000.0, project.now)
    assert project.quota.sent_today == 0
    assert len(project.begin_all()) == 100


def test_what_lies_in_the_future_closes_for_no_longer_than_what_can_be() -> None:
    """A wall clock that was set back by a year: nothing is closed for a year."""
    project = Project()
    project.call(*[OK] * 2, day_refusal(2))
    document = project.quota.snapshot(WALL - 1000.0, 1000.0)
    assert document is not None
    project = Project(wall=WALL - 365 * 86_400.0)
    project.quota.restore(document, project.wall - project.now, project.now)
    assert project.quota.until <= project.now + 90_000.0
    assert project.quota.sent_since(0.0) == 2


def test_two_projects_that_are_one_count_together() -> None:
    """The sum of what both have sent, no share, and the longer of the closures."""
    known = ModelLimits(PoolConfig())
    first, second = Project(known=known), Project(known=known)
    first.call(*[answer(10)] * 3, minute_refusal(8, 20.0))
    second.call(*[answer(20)] * 5, minute_refusal(8, 30.0))
    first.quota.absorb(second.quota, first.now)
    assert (first.quota.sent_today, first.quota.sent_since(0.0)) == (8, 8)
    assert first.quota.until == first.now + 30.0
    first.pass_time(60.0)
    assert not first.may_send()
    first.pass_time(1.0)
    assert len(first.begin_all()) == 8


def test_two_of_three_keep_to_what_was_left_to_both() -> None:
    """Their counts do not add up to the limit, so a third one is still missing."""
    known = ModelLimits(PoolConfig())
    first, second = Project(known=known), Project(known=known)
    first.call(*[OK] * 3, minute_refusal(9, 20.0))
    second.call(*[OK] * 4, minute_refusal(9, 20.0))
    first.quota.absorb(second.quota, first.now)
    first.pass_time(61.0)
    assert len(first.begin_all()) == 7


def test_tokens_counted_without_the_rest_of_an_end_are_known_when_a_limit_is_named() -> None:
    """While nothing is limited, an answer need not do more."""
    project = Project()
    for _ in range(3):
        project.quota.count_tokens(project.begin(), 300)
    project.in_flight = 0
    project.call(token_refusal(1000, 20.0))
    project.pass_time(20.0)
    assert not project.may_send()
    assert project.next_open_at() == 1061.0
