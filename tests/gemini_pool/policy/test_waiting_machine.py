"""What holds whatever a crowd meets: faults, walls, overload, readers who leave, resets."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.gemini_pool.policy.conftest import (
    CALLER,
    CANCELLED,
    DEAD,
    FAULT,
    MODEL,
    OK,
    OVERLOADED,
    TIMEOUT,
    World,
    quota,
)
from tests.gemini_pool.policy.crowd import Crowd
from utils.gemini_pool.policy import Outcome, PoolConfig, Request

OUTCOMES = (OK, OK, OK, FAULT, TIMEOUT, OVERLOADED, OVERLOADED, CALLER, CANCELLED, DEAD, quota(7.0), quota(40.0))


class CrowdMachine(RuleBasedStateMachine):
    """Any number ask, are answered or not, leave; time goes by."""

    @initialize(keys=st.integers(1, 4), per_minute=st.sampled_from([0, 2, 10]), budget=st.sampled_from([0.0, 100.0]))
    def open(self, keys: int, per_minute: int, budget: float) -> None:
        """Make the world."""
        config = PoolConfig(requests_per_minute=per_minute, budget_size=budget, max_waiting=5)
        self.world = World(config=config, keys=keys)
        self.crowd = Crowd(self.world)
        self.asked: list[Request] = []

    @rule(
        user=st.sampled_from([None, "a", "a", "b"]),
        deadline_s=st.sampled_from([2.0, 30.0, 120.0]),
        fallbacks=st.sampled_from([(), (), ("other",)]),
    )
    def ask(self, user: str | None, deadline_s: float, fallbacks: tuple[str, ...]) -> None:
        """Somebody asks: at once only if nobody waits."""
        waiting = len(self.world.policy.room(MODEL).line)
        request = self.crowd.ask(user, deadline_s=deadline_s, fallbacks=fallbacks)
        self.asked.append(request)
        call = self.crowd.calls.get(request)
        assert call is None or call.model != MODEL or not waiting

    @precondition(lambda self: self.crowd.calls)
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES))
    def end(self, data: st.DataObject, outcome: Outcome) -> None:
        """A call ends."""
        calls = list(self.crowd.calls)
        self.crowd.end(calls[data.draw(st.integers(0, len(calls) - 1))], outcome)

    @precondition(lambda self: self.crowd.waits)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Somebody gives up."""
        waits = list(self.crowd.waits)
        request = waits[data.draw(st.integers(0, len(waits) - 1))]
        self.crowd.leave(request)
        self.asked.remove(request)

    @rule(seconds=st.sampled_from([0.0, 0.3, 2.0, 9.0, 31.0, 70.0]))
    def pass_time(self, seconds: float) -> None:
        """Time goes by, and those who wait look when they were told to."""
        self.crowd.pass_time(seconds)

    @rule()
    def reset(self) -> None:
        """An operator starts health anew: calls under way belong to what was before."""
        self.world.policy.reset_pools([key.spec for key in self.world.policy.keys])
        self.crowd.take_turns()

    @invariant()
    def nobody_is_lost(self) -> None:
        """Everybody calls, waits or has ended; who waits in a line has a place of its own there."""
        crowd = self.crowd
        assert set(self.asked) == crowd.calls.keys() | crowd.waits.keys() | crowd.ends.keys()
        assert not crowd.calls.keys() & crowd.waits.keys()
        lines = [self.world.policy.room(model).line for model in (MODEL, "other")]
        standing = [ticket.holder for line in lines for ticket in line.in_order()]
        assert len(standing) == len(set(standing))
        assert {request for request, wait in crowd.waits.items() if wait.place} == set(standing)

    @invariant()
    def nobody_waits_past_its_deadline(self) -> None:
        """Whoever waits still has time, and will look again before it is over."""
        for request, wait in self.crowd.waits.items():
            assert self.world.now <= wait.until <= request.deadline_at
            assert request.deadline_at > self.world.now

    @invariant()
    def the_budget_keeps_within_its_bounds(self) -> None:
        """Never below nothing, never above its size."""
        assert 0.0 <= self.world.policy.room(MODEL).budget.level <= self.world.config.budget_size

    def teardown(self) -> None:
        """When all calls have ended and the last deadline has passed, nobody waits and nothing is in flight."""
        if not hasattr(self, "crowd"):
            return
        while self.crowd.calls or self.crowd.waits:
            for request in list(self.crowd.calls):
                self.crowd.end(request, OVERLOADED)
            self.crowd.pass_time(10.0)
        assert not any(lane.in_flight for lane in self.world.pool.lanes)
        assert not self.world.policy.room(MODEL).line


CrowdMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCrowd = CrowdMachine.TestCase
