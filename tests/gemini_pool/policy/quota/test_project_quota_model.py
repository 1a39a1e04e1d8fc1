"""Against a service with sliding windows, whatever the limits and the load: nothing is refused twice for one reason."""

from __future__ import annotations

import dataclasses
import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.gemini_pool.policy.quota.quota_service import ProjectService
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.outcome import Kind, Measure, Outcome
from utils.gemini_pool.policy.quota.pacific import seconds_to_pacific_midnight
from utils.gemini_pool.policy.quota.project_quota import Closed, ModelLimits, ProjectQuota

_TOKENS = 100


class QuotaMachine(RuleBasedStateMachine):
    """Sends whenever the rules allow it, and lets time pass to their next moment or anywhere else."""

    @initialize(
        limits=st.tuples(st.integers(0, 6), st.sampled_from([0, 100, 250, 500]), st.sampled_from([0, 3, 12])),
        delay_s=st.floats(0.0, 0.9),
        declared=st.booleans(),
        hour=st.sampled_from([0, 20]),
    )
    def open(self, limits: tuple[int, int, int], delay_s: float, declared: bool, hour: int) -> None:
        """Make a service of such limits, told to the rules or not."""
        rpm, tpm, rpd = limits
        self.service = ProjectService(rpm, tpm, rpd, delay_s)
        self.config = PoolConfig(own_per_hour=hour, believe_limit_s=1e9)
        if declared:
            self.config = dataclasses.replace(
                self.config, requests_per_minute=rpm, tokens_per_minute=tpm, requests_per_day=rpd
            )
        self.now, self.wall = 500.0, 1_795_219_200.0
        self.quota = ProjectQuota(self.config, ModelLimits(self.config), self.now, self.wall)
        self.under_way: list[tuple[float, Outcome]] = []
        #: Limits the rules know of, with the time since when.
        self.known_since = dict.fromkeys(Measure, self.now) if declared else {}

    @rule(most=st.integers(1, 10))
    def begin(self, most: int) -> None:
        """Begin calls while they may; none may be refused by a limit that was known before."""
        for _ in range(most):
            if not self.quota.may_send(self.now, len(self.under_way)):
                if not self.quota.wants_probe(self.now):
                    return
                self.quota.start(self.now)
                self.under_way.append((self.now, self.service.call(self.now, self.wall, _TOKENS)))
                assert self.quota.probing
                return
            self.quota.start(self.now)
            outcome = self.service.call(self.now, self.wall, _TOKENS)
            for named in outcome.limits:
                assert self.now < self.known_since.get(named.measure, float("inf")), named
            self.under_way.append((self.now, outcome))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), cancelled=st.booleans())
    def end(self, data: st.DataObject, cancelled: bool) -> None:
        """End any call; refusals come first, as they do."""
        refused = [call for call in self.under_way if call[1].kind is Kind.QUOTA]
        call = refused[0] if refused else data.draw(st.sampled_from(self.under_way))
        self.under_way.remove(call)
        started_at, outcome = call
        if outcome.kind is Kind.OK and cancelled:
            outcome = Outcome(Kind.CANCELLED, input_tokens=_TOKENS)
        for named in outcome.limits:
            # at the very moment of the refusal, others may have begun
            self.known_since.setdefault(named.measure, self.now + 1e-9)
        self.quota.end(started_at, outcome, self.now, self.wall, len(self.under_way))
        if started_at >= self.now and outcome.kind is Kind.QUOTA:
            assert not self.quota.may_send(self.now, len(self.under_way))

    @rule(seconds=st.sampled_from([0.001, 0.5, 3.0, 20.0, 60.0, 61.0, 3600.0, 90_000.0]))
    def pass_time(self, seconds: float) -> None:
        """Let time go by; calls under way do not last for hours."""
        if seconds > 20.0:
            self._end_all()
        self._pass(seconds)

    @rule()
    def wait_for_room(self) -> None:
        """Wait until the rules say that something may be sent: then it may."""
        in_flight = len(self.under_way)
        at = self.quota.next_open_at(self.now, in_flight)
        assert at >= self.now
        if at == float("inf"):
            assert in_flight
            return
        self._pass(at - self.now)
        self.now = max(self.now, at)
        assert self.quota.may_send(self.now, in_flight) or self.quota.wants_probe(self.now)

    @rule()
    def restart(self) -> None:
        """Start again, as after an orderly end: what is known stays known, and what was sent stays counted."""
        self._end_all()
        shift = self.wall - self.now
        document = self.quota.snapshot(shift, self.now)
        today, closed = self.quota.sent_today, self.quota.is_closed(self.now)
        self.quota = ProjectQuota(self.config, ModelLimits(self.config), self.now, self.wall)
        if document is not None:
            self.quota.restore(document, shift, self.now)
        # Unix times are known to a quarter of a microsecond: nobody can say on which side of the day's end this is
        if not self._day_turns_now():
            assert self.quota.sent_today == today
        assert self.quota.is_closed(self.now) is closed

    @invariant()
    def nothing_is_negative(self) -> None:
        """Counts are numbers of calls, times go forward, and nothing unlimited is restrained."""
        if not hasattr(self, "quota"):
            return
        quota = self.quota
        assert quota.sent_today >= 0
        assert quota.sent_since(self.now - 61.0) >= 0
        times = list(itertools.islice(quota.free_times(self.now), 5))
        assert times == sorted(times)
        assert times[0] >= self.now
        if not quota.limited:
            assert quota.may_send(self.now, 0)
        assert not quota.probing or quota.why in {Closed.DAY, Closed.NO_QUOTA}

    def _end_all(self) -> None:
        while self.under_way:
            started_at, outcome = self.under_way.pop(0)
            for named in outcome.limits:
                self.known_since.setdefault(named.measure, self.now + 1e-9)
            self.quota.end(started_at, outcome, self.now, self.wall, len(self.under_way))

    def _day_turns_now(self) -> bool:
        since_midnight = seconds_to_pacific_midnight(self.wall) + self.config.minute_margin_s
        return abs((since_midnight + 43_200.0) % 86_400.0 - 43_200.0) < 1e-6

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds


QuotaMachine.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestQuota = QuotaMachine.TestCase
