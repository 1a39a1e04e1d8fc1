"""A question's life: steps, bounds, waits and refusals, without any I/O."""

from __future__ import annotations

import itertools
import random

import pytest

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
from utils.gemini_pool.policy import Answered, Call, Outcome, PoolConfig, Refuse, Request, Wait
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.explaining.history import Tried
from utils.gemini_pool.policy.outcome import Refused
from utils.gemini_pool.policy.retry import allowed_retries, backoff_s
from utils.gemini_pool.policy.selection import Wishes
from utils.gemini_pool.policy.waiting.slots import Obstacle


def ask(world: World, *, deadline_s: float = 30.0, max_retries: int | None = None) -> Request:
    """Open a question."""
    return world.policy.request(MODEL, deadline_s=deadline_s, max_retries=max_retries)


def drive(world: World, request: Request, outcome: Outcome) -> tuple[list[float], Answered | Refuse]:
    """Answer every call with one outcome, waiting as told; gives when each call began, and the end."""
    began: list[float] = []
    for _ in range(200):
        step = request.step(world.now)
        if isinstance(step, Call):
            began.append(world.now)
            request.feed(outcome, world.now)
        elif isinstance(step, Wait):
            assert step.until > world.now
            world.pass_time(step.until - world.now)
        else:
            return began, step
    raise AssertionError("the request does not end")


def call(world: World, request: Request) -> Call:
    """Take a step that must be a call."""
    step = request.step(world.now)
    assert isinstance(step, Call)
    return step


def test_a_call_begun_in_ignorance_is_told_a_shorter_limit_later(world: World):
    """Five answers of other calls, a second long: it may take no longer than a call that begins now."""
    early = ask(world)
    begun = call(world, early)
    assert begun.limits.review_s > 0.0
    assert early.first_byte_s(begun.lease) == begun.limits.first_byte_s == 10.0
    for _ in range(5):
        request = ask(world)
        call(world, request)
        world.pass_time(1.0)
        request.feed(OK, world.now)
    assert early.first_byte_s(begun.lease) == call(world, ask(world)).limits.first_byte_s < 3.0


def limit_on(world: World, key: int) -> float:
    """Ask until this key is chosen; every answer takes two seconds."""
    for _ in range(40):
        request = ask(world)
        begun = call(world, request)
        world.pass_time(2.0)
        request.feed(OK, world.now)
        if begun.lease.lane.key.position == key:
            return begun.limits.first_byte_s
    raise AssertionError("the key was never chosen")


def test_a_key_that_ran_out_of_time_has_less_of_it_until_it_answers(world: World):
    """The next call to it is cut sooner than one to a sound key, the one after an answer is not."""
    for _ in range(10):
        for key in range(4):
            limit_on(world, key)
    world.call_on(0, TIMEOUT)
    assert limit_on(world, 0) == pytest.approx(3.0, rel=0.11)
    assert limit_on(world, 0) == limit_on(world, 1) == pytest.approx(5.0, rel=0.11)


def test_a_call_begun_before_the_key_ran_out_of_time_keeps_its_own(world: World):
    """Two questions that take long at the same time are no second sign against the key both were given."""
    for _ in range(10):
        for key in range(4):
            limit_on(world, key)
    asked = [ask(world) for _ in range(4)]
    begun = [call(world, request) for request in asked]
    request, lease = next(
        (request, one.lease) for request, one in zip(asked, begun, strict=True) if one.lease.lane.key.position == 0
    )
    usual = request.first_byte_s(lease)
    world.call_on(0, TIMEOUT)
    assert request.first_byte_s(lease) == usual == pytest.approx(5.0, rel=0.11)


def test_an_answer_ends_it(world: World):
    """And stays the end."""
    request = ask(world)
    call(world, request)
    request.feed(OK, world.now)
    assert isinstance(request.step(world.now), Answered)
    assert isinstance(request.step(world.now + 100.0), Answered)
    with pytest.raises(RuntimeError):
        request.feed(OK, world.now)


def test_the_callers_fault_ends_it_at_once(world: World):
    """No other key is asked."""
    request = ask(world)
    call(world, request)
    request.feed(Outcome(CALLER.kind, detail="no", refused=Refused.BLOCKED), world.now)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert (end.refused, end.detail, end.attempts) == (Refused.BLOCKED, "no", 1)


@pytest.mark.parametrize(("max_retries", "calls"), [(None, 8), (0, 1), (2, 3), (100, 8)])
def test_paid_attempts_are_bounded(max_retries: int | None, calls: int):
    """Up to 8, or as many as the caller pays for."""
    world = World(keys=12)
    began, end = drive(world, ask(world, max_retries=max_retries), FAULT)
    assert len(began) == calls
    assert isinstance(end, Refuse)
    assert (end.obstacle, end.attempts) == (Obstacle.FAULTS, calls)


def test_the_first_move_is_made_at_once_and_later_ones_wait(world: World):
    """No backoff before the second attempt; full jitter below a doubling bound after it."""
    world = World(keys=12)
    began, _ = drive(world, ask(world, deadline_s=120.0), FAULT)
    gaps = [later - earlier for earlier, later in itertools.pairwise(began)]
    assert gaps[0] == 0.0
    for number, gap in enumerate(gaps[1:]):
        assert 0.0 <= gap <= 0.5 * 2.0**number


def test_backoff_is_capped():
    """Never more than 20 s, and spread over all of what is below."""
    rng = random.Random(1)
    waits = [backoff_s(PoolConfig(), 12, rng) for _ in range(300)]
    assert max(waits) <= 20.0
    assert max(waits) > 18.0
    assert min(waits) < 2.0
    assert allowed_retries(PoolConfig(), None) == 7


def test_keys_are_tried_once_before_any_twice(world: World):
    """Every attempt of one question goes to another key while there is one."""
    request = ask(world)
    keys = []
    for _ in range(4):
        step = request.step(world.now)
        while isinstance(step, Wait):
            world.pass_time(step.until - world.now)
            step = request.step(world.now)
        assert isinstance(step, Call)
        keys.append(step.lease.lane.key.position)
        request.feed(FAULT, world.now)
    assert sorted(keys) == [0, 1, 2, 3]


def test_free_moves_cost_nothing():
    """Twelve walls and deaths in a row, at one instant, with no retries allowed."""
    world = World(keys=12)
    request = ask(world, max_retries=0)
    for number in range(12):
        call(world, request)
        request.feed(DEAD if number % 2 else quota(300.0), world.now)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert (end.obstacle, end.attempts, end.retry_after, end.guess) == (Obstacle.QUOTA, 12, 300.0, False)


def test_all_dead_is_refused_without_a_time():
    """Trying again makes no sense."""
    world = World(keys=2)
    _, end = drive(world, ask(world), DEAD)
    assert isinstance(end, Refuse)
    assert (end.obstacle, end.retry_after) == (Obstacle.ALL_DEAD, None)


def test_it_waits_for_a_wall_that_ends_in_time():
    """The wait ends when the first wall does."""
    world = World(keys=2)
    request = ask(world)
    for wait in (12.0, 7.0):
        call(world, request)
        request.feed(quota(wait), world.now)
    step = request.step(world.now)
    assert isinstance(step, Wait)
    assert (step.until, step.obstacle) == (world.now + 7.0, Obstacle.QUOTA)
    world.pass_time(7.0)
    assert call(world, request).lease.lane.key.position == 1


def test_it_is_refused_at_once_when_the_wall_ends_too_late():
    """Slot + the usual length of an answer > deadline: the true time to come back is told now."""
    world = World(keys=1)
    request = ask(world)
    call(world, request)
    request.feed(quota(25.0), world.now)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert (end.obstacle, end.retry_after) == (Obstacle.QUOTA, 25.0)


def test_one_deadline_covers_everything(world: World):
    """Timeouts, waits and backoff end at the deadline, not after."""
    request = ask(world, deadline_s=20.0)
    opened = world.now
    step = request.step(world.now)
    while not isinstance(step, Refuse):
        if isinstance(step, Call):
            assert step.limits.first_byte_s <= request.deadline_at - world.now
            world.pass_time(step.limits.first_byte_s)
            request.feed(TIMEOUT, world.now)
        elif isinstance(step, Wait):
            world.pass_time(step.until - world.now)
        step = request.step(world.now)
    assert step.obstacle is Obstacle.DEADLINE
    assert world.now - opened <= 20.0


def test_a_hanging_key_cannot_use_up_the_deadline(world: World):
    """While another key is live the first byte gets at most a third of the deadline or the usual limit."""
    first = call(world, ask(world, deadline_s=30.0))
    assert first.limits.first_byte_s == 10.0
    world = World(keys=1)
    assert call(world, ask(world, deadline_s=6.0)).limits.first_byte_s == 6.0


def test_an_overrun_doubles_the_limit_and_asks_in_pieces():
    """A long answer looks like a hanging key: the next attempt has twice the time and streams inside."""
    world = World(keys=4)
    request = ask(world, deadline_s=120.0)
    first = call(world, request)
    assert (first.limits.first_byte_s, first.stream_inside) == (10.0, False)
    world.pass_time(10.0)
    request.feed(TIMEOUT, world.now)
    second = call(world, request)
    assert (second.limits.first_byte_s, second.stream_inside) == (20.0, True)


def test_two_overruns_of_one_question_are_taken_back(world: World):
    """The question took long, not the keys."""
    request = ask(world, deadline_s=120.0)
    for _ in range(2):
        step = call(world, request)
        world.pass_time(step.limits.first_byte_s)
        request.feed(TIMEOUT, world.now)
    assert all(lane.rate.faults(world.now) == 0.0 for lane in world.pool.lanes)
    assert all(world.state(key) is GateState.LIVE for key in range(4))


def test_a_reader_that_left_ends_it(world: World):
    """Cancelled: nothing more is tried and nobody is blamed."""
    request = ask(world)
    call(world, request)
    request.feed(CANCELLED, world.now)
    assert isinstance(request.step(world.now), Refuse)
    assert all(lane.rate.calls(world.now) == 0.0 for lane in world.pool.lanes)


def test_a_break_after_a_piece_was_delivered_ends_it(world: World):
    """What the reader has seen cannot be taken back by another key's text."""
    request = ask(world)
    call(world, request)
    request.feed(FAULT, world.now, delivered=True)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert end.obstacle is Obstacle.FAULTS


def test_an_overloaded_model_is_said(world: World):
    """Everybody answers 503: the refusal says that it is the model."""
    _, end = drive(world, ask(world, deadline_s=12.0), OVERLOADED)
    assert isinstance(end, Refuse)
    assert end.obstacle is Obstacle.OVERLOADED
    assert end.retry_after is not None
    assert end.guess


def hedged_world(**constants: float) -> World:
    """Four keys, and second calls allowed."""
    return World(config=PoolConfig(hedge_after_s=1.0, **constants))  # type: ignore[arg-type]  # the fields' types differ


def test_a_second_call_goes_to_another_key_and_one_of_two_is_given_back():
    """The one that lost is ended by itself; the other is fed as ever."""
    world = hedged_world()
    request = ask(world)
    first = call(world, request)
    second = request.hedge(world.now)
    assert second is not None
    assert second.lease.lane is not first.lease.lane
    assert request.attempts == 2
    assert request.hedge(world.now) is None
    request.lose(first.lease, CANCELLED, world.now)
    request.feed(OK, world.now)
    assert isinstance(request.step(world.now), Answered)
    assert [one.in_flight for one in world.pool.lanes] == [0, 0, 0, 0]
    assert [tried.outcome for tried in request.record.attempts] == [CANCELLED, OK]


def test_two_that_overrun_side_by_side_are_forgiven():
    """As one after the other: it is the question that takes long."""
    world = hedged_world()
    request = ask(world)
    first, second = call(world, request), request.hedge(world.now)
    assert second is not None
    request.lose(second.lease, TIMEOUT, world.now)
    request.feed(TIMEOUT, world.now)
    assert [one.gate.timeouts_in_row for one in world.pool.lanes] == [0, 0, 0, 0]
    third = call(world, request)
    assert third.lease.lane not in {first.lease.lane, second.lease.lane}


def test_no_second_call_where_there_is_no_other_key_or_nobody_pays():
    """What was begun in vain leaves no trace."""
    lone = World(config=PoolConfig(hedge_after_s=1.0), keys=1)
    request = ask(lone)
    call(lone, request)
    assert request.hedge(lone.now) is None
    assert lone.lane(0).in_flight == 1
    poor = hedged_world(budget_size=4.0)
    request = ask(poor)
    call(poor, request)
    assert request.hedge(poor.now) is None
    assert sum(lane.in_flight for lane in poor.pool.lanes) == 1
    assert request.attempts == 1


def test_ending_the_wrong_number_of_calls_is_a_mistake_of_ours():
    """It would leave a call that nobody ends, or none that somebody must."""
    world = hedged_world()
    request = ask(world)
    only = call(world, request)
    with pytest.raises(RuntimeError):
        request.lose(only.lease, CANCELLED, world.now)
    request.hedge(world.now)
    with pytest.raises(RuntimeError):
        request.feed(OK, world.now)


def test_every_step_is_in_the_record():
    """Waiting in the line, attempts with their choice and ends, backoff, and the end: in order."""
    world = World(keys=2)
    request = ask(world, deadline_s=60.0)
    call(world, request)
    request.feed(quota(5.0), world.now)
    call(world, request)
    request.feed(quota(5.0), world.now)
    wait = request.step(world.now)
    assert isinstance(wait, Wait)
    world.pass_time(5.0)
    for outcome in (FAULT, FAULT):
        call(world, request)
        request.feed(outcome, world.now)
    wait = request.step(world.now)
    assert isinstance(wait, Wait)
    assert (wait.obstacle, wait.place) == (None, 0)
    world.pass_time(wait.until - world.now)
    call(world, request)
    world.pass_time(1.0)
    request.feed(OK, world.now)
    steps = request.record.steps
    kinds = [step.outcome.kind.value if isinstance(step, Tried) and step.outcome else step.obstacle for step in steps]  # type: ignore[union-attr]  # waited
    assert kinds == ["quota", "quota", "quota", "fault", "fault", None, "ok"]
    first = request.record.attempts[0]
    assert (first.key, first.project, first.model, first.probe) == ("Key #1", "Key #1", MODEL, "none")
    assert first.choice is not None
    assert (request.record.ended_at, request.record.why) == (world.now, None)


def test_a_deadline_that_has_passed_is_a_deadline():
    """Without an attempt nothing else is known; at the very moment it has passed."""
    world = World()
    request = ask(world, deadline_s=10.0)
    world.pass_time(10.0)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert (end.obstacle, end.attempts, end.retry_after) == (Obstacle.DEADLINE, 0, 0.0)
    assert request.record.why == "deadline"


def test_the_first_attempt_is_made_however_little_time_is_left():
    """Only a further one is not begun when a usual answer would come too late."""
    world = World()
    request = ask(world, deadline_s=10.0)
    world.pass_time(9.9)
    assert isinstance(request.step(world.now), Call)
    late = ask(world, deadline_s=10.0)
    call(world, late)
    world.pass_time(9.1)
    late.feed(Outcome(FAULT.kind, detail="HTTP 500"), world.now)
    end = late.step(world.now)
    assert isinstance(end, Refuse)
    assert (end.obstacle, end.detail, end.attempts) == (Obstacle.FAULTS, "HTTP 500", 1)
    just = ask(world, deadline_s=10.0)
    call(world, just)
    world.pass_time(9.0)
    just.feed(FAULT, world.now)
    assert isinstance(just.step(world.now), Call)


def test_a_request_that_ran_out_of_time_says_so_after_timeouts_only():
    """After another fault the fault is told."""
    world = World()
    request = ask(world, deadline_s=10.0)
    call(world, request)
    world.pass_time(10.0)
    request.feed(TIMEOUT, world.now)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert end.obstacle is Obstacle.DEADLINE


def test_the_callers_fault_without_a_reason_is_invalid(world: World):
    """The record says it in a word."""
    request = ask(world)
    call(world, request)
    request.feed(CALLER, world.now)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert end.refused is Refused.INVALID
    assert request.record.why == "invalid"
    blocked = ask(world)
    call(world, blocked)
    blocked.feed(Outcome(CALLER.kind, refused=Refused.BLOCKED), world.now)
    assert blocked.record.why == "blocked"


def test_an_answer_that_can_be_gone_on_with_has_a_new_deadline(world: World):
    """The reader has seen a part; another key goes on, with the whole time, and is not blamed for the length."""
    request = ask(world, deadline_s=20.0)
    call(world, request)
    world.pass_time(19.0)
    request.feed(TIMEOUT, world.now, delivered=True, resumable=True)
    assert request.deadline_at == world.now + 20.0
    second = call(world, request)
    assert second.limits.first_byte_s == pytest.approx(20.0 / 3)
    request.feed(FAULT, world.now, delivered=True)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert end.obstacle is Obstacle.FAULTS


def test_a_step_with_a_call_under_way_is_a_mistake(world: World):
    """So is the end of a call that nobody began."""
    request = ask(world)
    with pytest.raises(RuntimeError, match="feed"):
        request.feed(OK, world.now)
    call(world, request)
    with pytest.raises(RuntimeError, match="step"):
        request.step(world.now)


def test_leaving_before_the_first_step_ends_it(world: World):
    """Nothing was asked; it is in the record as left, and stays so."""
    request = ask(world)
    request.leave(world.now)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert (end.detail, end.attempts, end.obstacle) == ("cancelled", 0, Obstacle.FAULTS)
    assert request.record.why == "cancelled"


def test_leaving_with_a_call_under_way_does_nothing(world: World):
    """Whoever holds the call ends it; after its end leaving changes nothing."""
    request = ask(world)
    call(world, request)
    request.leave(world.now)
    assert request.record.ended_at is None
    request.feed(OK, world.now)
    request.leave(world.now)
    assert isinstance(request.step(world.now), Answered)


def test_leaving_with_a_call_begun_but_not_taken_gives_it_back():
    """Its turn in the line had come; nothing was sent, so nothing is counted."""
    world = World(keys=1)
    blocker = ask(world)
    call(world, blocker)
    blocker.feed(quota(5.0), world.now)
    assert isinstance(blocker.step(world.now), Wait)
    world.pass_time(5.0)
    assert world.policy.take_turns(world.now) == [blocker]
    blocker.leave(world.now)
    assert world.lane(0).in_flight == 0
    assert world.lane(0).counts.requests == 1
    last = blocker.record.attempts[-1]
    assert last.outcome is not None
    assert (last.outcome.kind, last.outcome.requests) == (CANCELLED.kind, 0)
    assert isinstance(blocker.step(world.now), Refuse)


def test_who_has_little_time_rides_no_probe():
    """A third of the deadline, or the usual p97: to the second."""
    world = World()
    request = ask(world, deadline_s=60.0)
    assert request.may_probe(world.now + 50.0)
    assert not request.may_probe(world.now + 50.1)
    short = ask(world, deadline_s=12.0)
    assert short.may_probe(world.now + 8.0)
    assert not short.may_probe(world.now + 8.1)


def test_the_next_model_takes_over_and_the_first_refusal_is_told():
    """The caller's list is asked in order; when nobody can, what the first said counts, less the time that passed."""
    world = World(keys=1)
    for model in (MODEL, "b"):
        lease = world.policy.begin(model, Wishes(), world.now)
        assert lease is not None
        world.end(lease, quota(500.0))
    request = world.policy.request(MODEL, deadline_s=30.0, fallbacks=("b", "c"))
    step = request.step(world.now)
    assert isinstance(step, Call)
    assert (step.model, request.model) == ("c", "c")
    world.pass_time(4.0)
    request.feed(quota(500.0), world.now)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert (end.model, end.obstacle, end.retry_after, end.attempts) == (MODEL, Obstacle.QUOTA, 496.0, 1)


def test_no_other_model_is_asked_when_every_key_is_dead_or_a_part_was_read():
    """Dead keys are dead for all models; a part of an answer is of one model."""
    world = World(keys=1)
    world.call(DEAD)
    dead = world.policy.request(MODEL, deadline_s=30.0, fallbacks=("b",)).step(world.now)
    assert isinstance(dead, Refuse)
    assert (dead.obstacle, dead.model) == (Obstacle.ALL_DEAD, MODEL)
    world = World(keys=1)
    request = world.policy.request(MODEL, deadline_s=30.0, fallbacks=("b",), max_retries=0)
    call(world, request)
    request.feed(FAULT, world.now, delivered=True, resumable=True)
    end = request.step(world.now)
    assert isinstance(end, Refuse)
    assert request.model == MODEL


@pytest.mark.parametrize(("retry", "most"), [(2, 0.5), (3, 1.0), (4, 2.0), (7, 16.0), (8, 20.0)])
def test_backoff_doubles_from_the_second_retry(retry: int, most: float):
    """The first is made at once; the dice choose below the bound."""
    waits = [backoff_s(PoolConfig(), retry, random.Random(seed)) for seed in range(200)]
    assert 0.95 * most < max(waits) <= most
    assert backoff_s(PoolConfig(), 1, random.Random(1)) == 0.0
