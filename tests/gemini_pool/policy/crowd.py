"""Many requests at once, driven as the dispatcher drives them: by their own waits, and by the turns they are given."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from tests.gemini_pool.policy.conftest import MODEL, World
from utils.gemini_pool.policy import Answered, Call, Outcome, Refuse, Request, Wait


class Crowd:
    """Requests by what they do now: calls under way, waits, and how others ended."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calls: dict[Request, Call] = {}
        self.waits: dict[Request, Wait] = {}
        self.ends: dict[Request, Answered | Refuse] = {}
        #: Who began a call, in order.
        self.went: list[Request] = []

    def ask(self, user: Hashable = None, *, deadline_s: float = 30.0, **asked: Any) -> Request:
        """Somebody asks."""
        policy = self.world.policy
        request = policy.request(
            asked.pop("model", MODEL), deadline_s=deadline_s, user=user, now=self.world.now, **asked
        )
        self.step(request)
        return request

    def step(self, request: Request) -> None:
        """Let one look."""
        self.waits.pop(request, None)
        step = request.step(self.world.now)
        if isinstance(step, Call):
            self.calls[request] = step
            self.went.append(request)
        elif isinstance(step, Wait):
            assert step.until > self.world.now
            self.waits[request] = step
        else:
            self.ends[request] = step

    def take_turns(self) -> None:
        """Let those look whose turn has come, until nobody's has."""
        while turns := self.world.policy.take_turns(self.world.now):
            for request in turns:
                assert request in self.waits
                self.step(request)

    def end(self, request: Request, outcome: Outcome) -> None:
        """End a call under way."""
        del self.calls[request]
        request.feed(outcome, self.world.now)
        self.take_turns()
        self.step(request)
        self.take_turns()

    def leave(self, request: Request) -> None:
        """Somebody who waits gives up."""
        del self.waits[request]
        request.leave(self.world.now)
        self.take_turns()

    def pass_time(self, seconds: float, answer: Callable[[Request], Outcome | None] = lambda _: None) -> None:
        """Let time go by; ``answer`` ends calls a second after they began."""
        until = self.world.now + seconds
        while True:
            ends = {request: call.lease.started_at + 1.0 for request, call in self.calls.items() if answer(request)}
            times = ends | {request: wait.until for request, wait in self.waits.items()}
            request = min(times, key=lambda one: times[one], default=None)
            if request is None or times[request] > until:
                break
            self.world.pass_time(max(0.0, times[request] - self.world.now))
            outcome = answer(request)
            if request in self.calls and outcome is not None:
                self.end(request, outcome)
                continue
            self.take_turns()
            if request in self.waits and self.waits[request].until <= self.world.now:
                self.step(request)
                self.take_turns()
        self.world.pass_time(until - self.world.now)
