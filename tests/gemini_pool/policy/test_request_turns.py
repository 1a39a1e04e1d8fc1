"""A question among others: its turn in the line, its second call, its moves, and what it is told in vain."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import CANCELLED, DEAD, FAULT, MODEL, OK, TIMEOUT, World, quota
from utils.gemini_pool.policy import Answered, Call, PoolConfig, Refuse, Request, Wait
from utils.gemini_pool.policy.breaker import GateState
from utils.gemini_pool.policy.outcome import Outcome
from utils.gemini_pool.policy.waiting.slots import Obstacle

HEDGED = PoolConfig(hedge_after_s=1.0, open_jitter=0.0, peer_factor=0.0)


def ask(world: World, *, deadline_s: float = 30.0, max_retries: int | None = None) -> Request:
    """Open a question."""
    return world.policy.request(MODEL, deadline_s=deadline_s, max_retries=max_retries)


def call(world: World, request: Request) -> Call:
    """Take a step that must be a call."""
    step = request.step(world.now)
    assert isinstance(step, Call)
    return step


def refused(world: World, request: Request) -> Refuse:
    """Take a step that must be a refusal."""
    step = request.step(world.now)
    assert isinstance(step, Refuse)
    return step


def shut(world: World, *seconds: float) -> None:
    """Close every project for this long, key by key."""
    for key, length in enumerate(seconds):
        world.call_on(key, quota(length))


def waiting(world: World, **asked: float) -> Request:
    """Open a question that must wait."""
    request = ask(world, **asked)  # type: ignore[arg-type]  # a deadline
    assert isinstance(request.step(world.now), Wait)
    return request


def test_who_moves_on_does_not_stand_behind_who_has_not_been_asked_yet() -> None:
    """It was let go before them: when a key is free it moves at once, though somebody waits."""
    world = World(keys=2)
    moving = ask(world)
    call(world, moving)
    shut(world, 5.0, 5.0)
    behind = waiting(world)
    world.pass_time(5.0)
    moving.feed(FAULT, world.now)
    assert isinstance(moving.step(world.now), Call)
    assert world.policy.take_turns(world.now) == [behind]


def test_the_end_of_a_call_that_was_not_taken_yet_is_a_mistake() -> None:
    """Its turn had come, but nobody has made the call."""
    world = World(keys=1)
    shut(world, 5.0)
    request = waiting(world)
    world.pass_time(5.0)
    assert world.policy.take_turns(world.now) == [request]
    with pytest.raises(RuntimeError, match="feed"):
        request.feed(OK, world.now)
    call(world, request)
    request.feed(OK, world.now)
    assert isinstance(request.step(world.now), Answered)


def test_what_a_reader_has_seen_is_of_one_model_for_good() -> None:
    """Also when a later attempt, which showed nothing, is the last."""
    world = World(keys=3)
    request = world.policy.request(MODEL, deadline_s=30.0, fallbacks=("b",), max_retries=1)
    call(world, request)
    request.feed(FAULT, world.now, delivered=True, resumable=True)
    call(world, request)
    request.feed(FAULT, world.now)
    assert refused(world, request).obstacle is Obstacle.FAULTS
    assert request.model == MODEL


def test_another_model_is_not_asked_for_nothing() -> None:
    """When every key is dead, or no time is left, the request stays where it is and no pool is made."""
    dead = World(keys=1)
    dead.call(DEAD)
    request = dead.policy.request(MODEL, deadline_s=30.0, fallbacks=("b",))
    assert refused(dead, request).obstacle is Obstacle.ALL_DEAD
    late = World(keys=1)
    other = late.policy.request(MODEL, deadline_s=30.0, fallbacks=("b",))
    call(late, other)
    late.pass_time(29.9)
    other.feed(FAULT, late.now)
    assert refused(late, other).obstacle is Obstacle.FAULTS
    assert [request.model, other.model] == [MODEL, MODEL]


def test_a_second_call_is_made_beside_one_under_way_only() -> None:
    """Before the first step and after the end there is nothing to make it beside."""
    world = World(config=HEDGED)
    request = ask(world)
    assert request.hedge(world.now) is None
    call(world, request)
    request.feed(OK, world.now)
    assert request.hedge(world.now) is None
    assert request.attempts == 1
    assert sum(lane.in_flight for lane in world.pool.lanes) == 0


def test_a_second_call_takes_no_place_from_who_waits() -> None:
    """A key has come free, but it is the other's."""
    world = World(keys=2, config=HEDGED)
    request = ask(world)
    call(world, request)
    shut(world, 5.0, 5.0)
    behind = waiting(world)
    world.pass_time(5.0)
    assert request.hedge(world.now) is None
    behind.leave(world.now)
    assert request.hedge(world.now) is not None


def test_a_second_call_is_no_probe() -> None:
    """A key that must be found out about is no help to who waits for a slow one."""
    world = World(keys=2, config=HEDGED)
    world.eject(1)
    request, closing = ask(world, deadline_s=120.0), world.begin_on(0)
    assert call(world, request).lease.lane.key.position == 0
    world.pass_time(30.0)
    world.end(closing, quota(300.0))
    assert world.state(1) is GateState.HALF_OPEN
    assert request.hedge(world.now) is None
    assert not world.lane(1).gate.probing


def test_a_second_call_that_overruns_after_an_overrun_shows_that_the_question_is_long() -> None:
    """The fault of the attempt before and its own are taken back, while the other of the two goes on."""
    world = World(config=HEDGED)
    request = ask(world, deadline_s=120.0)
    first = call(world, request).lease
    request.feed(TIMEOUT, world.now)
    second = call(world, request).lease
    third = request.hedge(world.now)
    assert third is not None
    assert first.lane.gate.timeouts_in_row == 1
    request.lose(third.lease, TIMEOUT, world.now)
    assert [lane.gate.timeouts_in_row for lane in (first.lane, third.lease.lane)] == [0, 0]
    assert [lane.rate.faults(world.now) for lane in (first.lane, third.lease.lane)] == [0.0, 0.0]
    assert second.lane.in_flight == 1


def test_whose_turn_comes_too_late_ends_without_a_call() -> None:
    """Nobody looked in time: less than a usual answer takes is left, so nothing is begun for it."""
    world = World(keys=1)
    shut(world, 5.0)
    request = waiting(world, deadline_s=10.0)
    world.pass_time(9.5)
    assert world.policy.take_turns(world.now) == [request]
    end = refused(world, request)
    assert (end.obstacle, end.attempts, end.retry_after) == (Obstacle.QUOTA, 0, 0.0)
    assert world.lane(0).counts.requests == 1
    assert world.lane(0).in_flight == 0
    assert world.policy.take_turns(world.now) == []


def test_who_was_starved_and_let_go_moves_on_like_everybody() -> None:
    """It waited in the line because nobody paid; when its turn has come and the bucket is filled, it pays again."""
    world = World(keys=3, config=PoolConfig(backoff_first_s=0.0, max_ejected_share=0.0))
    request = ask(world)
    call(world, request)
    budget = world.policy.room(MODEL).budget
    budget.level = 4.9
    request.feed(FAULT, world.now)
    step = request.step(world.now)
    assert isinstance(step, Wait)
    world.pass_time(step.until - world.now)
    call(world, request)
    budget.level = 100.0
    request.feed(FAULT, world.now)
    assert isinstance(request.step(world.now), Call)
    assert budget.level == 95.0


def test_a_closure_tells_those_who_wait_in_vain() -> None:
    """Calls that were under way are refused for five minutes: who can wait for that waits on, the others hear it."""
    world = World(keys=2)
    under_way = [ask(world), ask(world)]
    for one in under_way:
        call(world, one)
    shut(world, 4.0, 5.0)
    first, second, patient = waiting(world), waiting(world), waiting(world, deadline_s=1000.0)
    for one in under_way:
        one.feed(quota(300.0), world.now)
    told = world.policy.take_turns(world.now)
    assert sorted(told, key=id) == sorted([first, second], key=id)
    for request in told:
        end = refused(world, request)
        assert (end.obstacle, end.retry_after) == (Obstacle.QUOTA, 300.0)
    assert isinstance(patient.step(world.now), Wait)


@pytest.mark.parametrize(("closed_s", "in_time"), [(27.5, True), (27.6, False)])
def test_who_waits_gives_up_when_no_usual_answer_could_come_in_time(closed_s: float, in_time: bool) -> None:
    """The closure was made longer: an answer usually takes 2.5 s, and there are 30."""
    world = World(keys=1)
    under_way = ask(world)
    call(world, under_way)
    shut(world, 5.0)
    request = waiting(world)
    under_way.feed(quota(closed_s), world.now)
    step = request.step(world.now)
    assert isinstance(step, Wait if in_time else Refuse)


def test_a_further_attempt_goes_to_another_key_however_little_that_one_was_used() -> None:
    """The key that failed has the better score still; the request has had enough of it."""
    world = World(keys=2, config=PoolConfig(max_ejected_share=0.0))
    world.call_on(1, *[OK] * 5)
    request = ask(world)
    assert call(world, request).lease.lane.key.position == 0
    request.feed(FAULT, world.now)
    assert call(world, request).lease.lane.key.position == 1
    assert call(world, ask(world)).lease.lane.key.position == 0


def test_who_ran_out_of_time_is_told_when_the_first_key_is_free() -> None:
    """In 12 s, not when the second is."""
    world = World(keys=2)
    request = ask(world, deadline_s=10.0)
    call(world, request)
    world.pass_time(9.5)
    shut(world, 12.0, 40.0)
    request.feed(Outcome(FAULT.kind, detail="HTTP 500"), world.now)
    end = refused(world, request)
    assert (end.obstacle, end.detail, end.retry_after) == (Obstacle.FAULTS, "HTTP 500", 12.0)


def test_leaving_the_line_lets_the_next_one_go() -> None:
    """Its place is the other's, and the request is in the record as left."""
    world = World(keys=1, config=PoolConfig(requests_per_minute=1))
    world.call_on(0, OK)
    first, second = waiting(world, deadline_s=100.0), waiting(world, deadline_s=200.0)
    first.leave(world.now)
    assert first.record.why == "cancelled"
    world.pass_time(61.0)
    assert world.policy.take_turns(world.now) == [second]
    call(world, second)
    second.feed(CANCELLED, world.now)
    assert refused(world, second).detail == "cancelled"
