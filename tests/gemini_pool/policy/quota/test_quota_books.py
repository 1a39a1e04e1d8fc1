"""Declared limits held step by step against plain lists of what was sent, and forecasts against what comes true."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

import pytest

from tests.gemini_pool.policy.quota.quota_service import answer, day_refusal, minute_refusal
from tests.gemini_pool.policy.quota.test_project_quota import Project
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, Outcome

CANCELLED = Outcome(Kind.CANCELLED)
UNSENT = Outcome(Kind.CALLER, requests=0)
CONFIGS = {
    "requests": PoolConfig(requests_per_minute=3),
    "own second and minute": PoolConfig(own_per_second=2, own_per_minute=5),
    "own hour": PoolConfig(own_per_hour=4, requests_per_minute=3),
    "day": PoolConfig(requests_per_day=6),
    "tokens": PoolConfig(tokens_per_minute=100),
    "all": PoolConfig(requests_per_minute=5, tokens_per_minute=150, requests_per_day=20, own_per_hour=15),
}
TOKENS = (10, 30, 60)


@dataclass
class Books:
    """What was sent, in lists."""

    project: Project
    starts: list[float] = field(default_factory=list)
    tokens: list[tuple[float, int]] = field(default_factory=list)
    under_way: list[float] = field(default_factory=list)
    expected: float = 0.0
    day_ends: float = 1000.0 + 8 * 3600.0 + 1.0

    def within(self, length_s: float, now: float) -> int:
        """Count what holds a place at a time."""
        return sum(at + length_s > now for at in self.starts)

    def has_room(self, now: float) -> bool:
        """Whether all limits allow one more call at a time, with the calls under way."""
        config = self.project.config
        windows = (
            (config.requests_per_minute, 61.0),
            (config.own_per_second, 1.0),
            (config.own_per_minute, 60.0),
            (config.own_per_hour, 3600.0),
        )
        if any(limit and self.within(length_s, now) >= limit for limit, length_s in windows):
            return False
        day = sum(at >= self.day_ends - 86_400.0 - 2.0 for at in self.starts) if now < self.day_ends else 0
        if config.requests_per_day and day >= config.requests_per_day:
            return False
        return not config.tokens_per_minute or self.has_tokens(config.tokens_per_minute, now)

    def has_tokens(self, limit: int, now: float) -> bool:
        """Whether what is expected of all calls under way and one more keeps within the limit."""
        used = sum(many for at, many in self.tokens if at + 61.0 > now)
        if not self.expected:
            return not self.under_way and used < limit
        return used + self.expected * (len(self.under_way) + 1) <= limit or (not self.under_way and not used)

    def begin(self) -> None:
        """Begin a call."""
        at = self.project.begin()
        self.starts.append(at)
        self.under_way.append(at)

    def end(self, at: float, outcome: Outcome) -> None:
        """End a call."""
        self.under_way.remove(at)
        self.project.end(at, outcome)
        if outcome.requests == 0:
            self.starts.remove(at)
        elif outcome.input_tokens:
            self.expected += (outcome.input_tokens - self.expected) * (0.125 if self.expected else 1.0)
            self.tokens.append((at, outcome.input_tokens))
        elif self.expected:
            self.tokens.append((at, round(self.expected)))

    def turn_day(self) -> None:
        """Know of midnights that have passed."""
        while self.project.now >= self.day_ends:
            self.day_ends += 86_400.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", CONFIGS)
def test_a_call_may_begin_just_when_the_lists_allow_it(name: str, seed: int) -> None:
    """And not a moment before the time that is told; the time that is told comes true."""
    rng, books = random.Random(seed), Books(Project(CONFIGS[name]))
    project = books.project
    for _ in range(120):
        books.turn_day()
        assert project.may_send() is books.has_room(project.now)
        if books.under_way and rng.random() < 0.5:
            at = rng.choice(books.under_way)
            # what never left this machine is known at once
            unsent = [UNSENT] if at + 60.0 > project.now else []
            books.end(at, rng.choice([*(answer(many) for many in TOKENS), CANCELLED, *unsent]))
        elif project.may_send():
            assert project.next_open_at() == project.now
            books.begin()
        else:
            at = project.next_open_at()
            if at == float("inf"):
                assert books.under_way
                continue
            if at < books.day_ends:
                assert not books.has_room(at - 0.01)
                assert books.has_room(at)
            project.pass_time(at - project.now)
            books.turn_day()
            assert project.may_send()
        project.pass_time(rng.choice([0.0, 0.0, 0.3, 5.0, 20.0]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", CONFIGS)
def test_the_times_that_are_forecast_come_true(name: str, seed: int) -> None:
    """Calls of the expected size begun at the forecast times are allowed then, and not before."""
    rng, project = random.Random(seed), Project(CONFIGS[name])
    for _ in range(rng.randrange(1, 8)):
        if project.may_send():
            project.call(answer(30))
        project.pass_time(rng.choice([0.0, 1.0, 7.0]))
    forecast = list(itertools.islice(project.quota.free_times(project.now), 12))
    assert forecast == sorted(forecast)
    for at in forecast:
        if at > project.now:
            project.pass_time(max(0.0, at - project.now - 0.02))
            assert not project.may_send()
            project.pass_time(at - project.now)
        assert project.may_send()
        project.call(answer(30))


def test_a_day_that_is_spent_is_forecast_by_days() -> None:
    """What is left of this one now, then as many as a day has at every midnight."""
    project = Project(PoolConfig(requests_per_day=2))
    project.call(answer(5))
    midnight = project.now + 8 * 3600.0 + 1.0
    times = list(itertools.islice(project.quota.free_times(project.now), 6))
    assert times[0] <= project.now
    assert times[1:] == [midnight, midnight, midnight + 86_400.0, midnight + 86_400.0, midnight + 2 * 86_400.0]


def test_what_was_sent_today_is_known_and_turned_at_midnight() -> None:
    """With the limit of the day, as declared or as the service named it."""
    project = Project(PoolConfig(requests_per_day=5))
    assert (project.quota.sent_today, project.quota.day_limit(project.now)) == (0, 5)
    project.call(answer(5), answer(5), UNSENT)
    assert project.quota.sent_today == 2
    named = Project()
    assert named.quota.day_limit(named.now) is None
    named.call(answer(5), day_refusal(250))
    assert named.quota.day_limit(named.now) == 250
    assert named.quota.day_limit(named.now + 86_400.0) is None
    fresh = Project(PoolConfig(requests_per_day=5))
    fresh.pass_time(9 * 3600.0)
    assert fresh.quota.day_limit(fresh.now) == 5


def test_starts_are_told_by_time() -> None:
    """Later than one time and no later than another; refused ones are no starts."""
    project = Project()
    for _ in range(3):
        project.call(answer(5))
        project.pass_time(10.0)
    assert project.quota.starts_between(1000.0, 1020.0) == [1010.0, 1020.0]
    assert project.quota.starts_between(999.0, 1009.0) == [1000.0]
    assert project.quota.sent_since(1010.0) == 1
    project.call(minute_refusal(15))
    assert project.quota.sent_since(1010.0) == 1


def test_a_probe_under_way_is_known() -> None:
    """Nobody else probes then; its refusal ends it."""
    project = Project()
    project.call(day_refusal(250))
    project.pass_time(3600.0)
    told = [(project.quota.probing, project.quota.wants_probe(project.now))]
    begun = project.begin()
    told.append((project.quota.probing, project.quota.wants_probe(project.now)))
    project.end(begun, day_refusal(250))
    told.append((project.quota.probing, project.quota.wants_probe(project.now)))
    assert told == [(False, True), (True, False), (False, False)]


def test_doubt_is_told_before_a_limit_is_found_out() -> None:
    """A project of which nothing is known is not doubtful; one with an unexplained refusal is, until an answer."""
    project = Project()
    assert not project.goes_alone()
    project.call(Outcome(Kind.QUOTA, retry_after=1.0))
    project.pass_time(5.0)
    assert project.goes_alone()
    project.call(answer(5))
    assert not project.goes_alone()
    declared = Project(PoolConfig(requests_per_minute=3))
    assert not declared.goes_alone()
