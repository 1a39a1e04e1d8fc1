"""One run of a scenario: the pool's own objects on a virtual clock.

``run`` drives ``Policy`` and its ``Request`` machines by a heap of events, as the dispatcher does by awaiting: a
request steps until it is answered or refused, every end of a call feeds it, and whoever's turn in the line has come
looks again. What always holds: the clock never goes back and nothing sleeps; the same scenario, constants and
seed give the same run to the last digit; arrivals, the service and the pool each have dice of their own, so that a
change of constants meets the same users.
"""

from __future__ import annotations

import dataclasses
import gc
import math
import random
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple, Protocol

from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.figures import Recorder
from benchmarks.simulation.scenario import Load, Scenario
from benchmarks.simulation.service import TIMED_OUT, Reply, Service
from utils.gemini_pool.policy import Answered, Call, KeySpec, Kind, Outcome, Policy, PoolConfig, Refuse, Request

MODEL = "gemini-4-hydrogen"
#: 2026-11-21 00:00:00 UTC, in the middle of a Pacific day of 24 hours.
WALL_START = 1_795_219_200.0
_SAMPLE_S = 5.0
#: Looking at every key takes long with many of them: so many are looked at that often.
_SAMPLE_KEYS = 1000
_CANCELLED = Outcome(Kind.CANCELLED)


class Arrival(NamedTuple):
    """A question that is asked at ``at``."""

    at: float
    user: int
    caller_fault: bool
    patience_s: float


@dataclasses.dataclass(slots=True, eq=False)
class Asked:
    """A question under way; ``ticket`` changes with every step, so that an overtaken event is known as such."""

    arrival: Arrival
    request: Request
    calling: bool = False
    done: bool = False
    ticket: int = 0


def arrivals(loads: tuple[Load, ...], rng: random.Random) -> Iterator[Arrival]:
    """Give every arrival of the loads, load after load."""
    for load in loads:
        for at in _times(load, rng):
            caller_fault = rng.random() < load.caller_fault_share
            yield Arrival(at, rng.randrange(load.users), caller_fault, load.patience_s)


def _times(load: Load, rng: random.Random) -> Iterator[float]:
    if load.requests:
        step = (load.until_s - load.from_s) / load.requests
        yield from (load.from_s + number * step for number in range(load.requests))
    at = load.from_s
    while load.per_s > 0:
        at += rng.expovariate(load.per_s)
        if at >= load.until_s:
            return
        yield at


class Answering(Protocol):
    """What answers calls: the model of the service, or what was recorded of it."""

    def answer(self, call: Call, now: float, *, remaining_s: float, caller_fault: bool) -> Reply:
        """Say what a call that begins now comes to."""

    def equal_waste(self, now: float) -> float:
        """The chance that a call begun now fails if every key draws an equal share."""


class World:
    """The clock, the heap, the pool and the service of one run."""

    def __init__(
        self,
        scenario: Scenario,
        config: PoolConfig,
        seed: int,
        *,
        service: Answering | None = None,
        coming: Iterable[Arrival] | None = None,
    ) -> None:
        def dice(name: str) -> random.Random:
            return random.Random(f"{scenario.name} {seed} {name}")

        self.now = 0.0
        self._scenario = scenario
        self._sample_s = _SAMPLE_S * max(1, len(scenario.projects) // _SAMPLE_KEYS)
        self._agenda = Agenda()
        #: Questions that had to wait and have not ended; while there are none, it is nobody's turn.
        self._waited: dict[Request, Asked] = {}
        specs = [
            KeySpec(f"{number:016x}", project=project if scenario.projects_told else None)
            for number, project in enumerate(scenario.projects)
        ]
        self.policy = Policy(config, lambda: self.now, lambda: WALL_START + self.now, dice("pool"), keys=specs)
        self.service = service or Service(scenario, dice("service"), WALL_START)
        self.recorder = Recorder(scenario, config)
        self._rotate_at = self.policy.next_event_at()
        #: The next to come is the last.
        if coming is None:
            coming = arrivals(scenario.loads, dice("load"))
        self._arrivals = sorted(coming, key=attrgetter("at"), reverse=True)

    def run(self) -> Recorder:
        """Run to the last event; answers what was recorded."""
        agenda, coming = self._agenda, self._arrivals
        agenda.enter(self._sample_s, self._sample)
        asked_at = coming[-1].at if coming else math.inf
        due_at = agenda.next_at()
        while due_at < math.inf or asked_at < math.inf:
            if asked_at <= due_at:
                self.now = max(self.now, asked_at)
                self._arrive(coming.pop())
                asked_at = coming[-1].at if coming else math.inf
            else:
                self.now = max(self.now, due_at)
                _, _, action, about = agenda.take()
                action(*about)
            due_at = agenda.next_at()
        self.recorder.finish(self.policy.pool(MODEL), self.now)
        return self.recorder

    def _sample(self) -> None:
        self.recorder.sample(self.policy.pool(MODEL), self.policy.config, self.now)
        if self.now + self._sample_s <= self._scenario.duration_s:
            self._agenda.enter(self.now + self._sample_s, self._sample)

    def _arrive(self, arrival: Arrival) -> None:
        request = self.policy.request(MODEL, deadline_s=self._scenario.deadline_s, user=arrival.user, now=self.now)
        asked = Asked(arrival, request)
        self.recorder.asked(self.now, arrival.user, arrival.patience_s, caller_fault=arrival.caller_fault)
        if arrival.patience_s < self._scenario.deadline_s:
            self._agenda.enter(self.now + arrival.patience_s, self._leave, asked)
        self._step(asked)

    def _step(self, asked: Asked) -> None:
        if self.now >= self._rotate_at:
            self.policy.rotate_if_due()
            self._rotate_at = self.policy.next_event_at()
        asked.ticket += 1
        step = asked.request.step(self.now)
        if isinstance(step, Call):
            self._call(asked, step)
        elif isinstance(step, Answered):
            self._end(asked)
            self.recorder.served(asked.arrival.at, self.now, asked.arrival.user)
        elif isinstance(step, Refuse):
            self._end(asked)
            self.recorder.gone(self.now, caller_fault=asked.arrival.caller_fault)
            if step.refused is None and not step.attempts:
                self.recorder.refused(asked.arrival.at, self.now)
        else:
            self._waited[asked.request] = asked
            self._agenda.enter(step.until, self._look_again, asked, asked.ticket)

    def _end(self, asked: Asked) -> None:
        asked.done = True
        asked.ticket += 1
        self._waited.pop(asked.request, None)

    def _look_again(self, asked: Asked, ticket: int) -> None:
        if asked.ticket == ticket:
            self._take_turns()
        if asked.ticket == ticket:
            self._step(asked)
            self._take_turns()

    def _take_turns(self) -> None:
        while self._waited and (turns := self.policy.take_turns(self.now)):
            for request in turns:
                self._step(self._waited[request])

    def _call(self, asked: Asked, call: Call) -> None:
        asked.calling = True
        began, request, arrival = self.now, asked.request, asked.arrival
        remaining = request.deadline_at - began
        reply = self.service.answer(call, began, remaining_s=remaining, caller_fault=arrival.caller_fault)
        key = call.lease.lane.key.position + 1
        waited_s = began - arrival.at if request.attempts == 1 else None
        equal_waste = self.service.equal_waste(began) if self._scenario.faults else 0.0
        self.recorder.began(began, key, equal_waste, waited_s=waited_s)
        self._agenda.enter(began + reply.seconds, self._end_call, asked, asked.ticket, key, began, reply.outcome)

        if call.limits.review_s and reply.first_s > call.limits.review_s:
            self._agenda.enter(began + call.limits.review_s, self._review, asked, asked.ticket, call, began, reply)

    def _review(self, asked: Asked, ticket: int, call: Call, began: float, reply: Reply) -> None:
        """Cut a call that has not begun to answer as soon as its limit, presumed at its start, is known to be less."""
        if asked.ticket != ticket or self.now - began >= reply.first_s:
            return
        look_again = (self._review, asked, ticket, call, began, reply)
        cut_at = began + asked.request.first_byte_s(call.lease)
        if cut_at >= began + call.limits.first_byte_s:
            self._agenda.enter(self.now + call.limits.review_s, *look_again)
        elif cut_at <= self.now:
            self._end_call(asked, ticket, call.lease.lane.key.position + 1, began, TIMED_OUT)
        elif cut_at < began + reply.first_s:
            self._agenda.enter(cut_at, *look_again)

    def _end_call(self, asked: Asked, ticket: int, key: int, began: float, outcome: Outcome) -> None:
        if asked.ticket != ticket:
            return
        self.recorder.ended(key, began, self.now, outcome.kind)
        asked.calling = False
        asked.request.feed(outcome, self.now)
        if self._waited:
            self._take_turns()
        self._step(asked)

    def _leave(self, asked: Asked) -> None:
        if asked.done:
            return
        if asked.calling:
            asked.request.feed(_CANCELLED, self.now)
        else:
            asked.request.leave(self.now)
        self._end(asked)
        self.recorder.gone(self.now, caller_fault=asked.arrival.caller_fault)
        self._take_turns()


def run(scenario: Scenario, config: PoolConfig, seed: int) -> Recorder:
    """Run a scenario once; nothing is kept to explain, since nobody asks."""
    config = dataclasses.replace(config, records_kept=0)
    # what a run makes lives until its end: looking for garbage in between finds none and takes a quarter of the time
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return World(scenario, config, seed).run()
    finally:
        if was_enabled:
            gc.enable()
