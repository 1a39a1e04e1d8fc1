"""Requests teach usual times and leave records: what their life tells the rules, and what a restart keeps of it."""

from __future__ import annotations

import json

import pytest

from tests.gemini_pool.policy.conftest import DEAD, FAULT, MODEL, World
from utils.gemini_pool.policy import Call, Kind, Outcome, Refuse
from utils.gemini_pool.policy.explaining.explain import explain
from utils.gemini_pool.policy.explaining.history import Choice
from utils.gemini_pool.policy.latency import Size


def answer(world: World, seconds: float, *, first_s: float | None = None, delivered: bool = False) -> None:
    """Ask one question that is answered after so many seconds."""
    request = world.policy.request(MODEL, deadline_s=60.0)
    assert isinstance(request.step(world.now), Call)
    world.pass_time(seconds)
    request.feed(Outcome(Kind.OK, first_s=first_s), world.now, delivered=delivered)


def test_answers_teach_the_usual_times(world: World) -> None:
    """After forty answers of two seconds the usual answer takes two seconds."""
    for _ in range(40):
        answer(world, 2.0)
    usual = world.pool.latency.of(Size.UNKNOWN).usual
    assert usual.learned
    assert usual.p97 == pytest.approx(2.0, rel=0.11)


def test_a_stream_that_a_reader_took_teaches_its_first_byte_only(world: World) -> None:
    """A slow reader does not make answers long."""
    for _ in range(40):
        answer(world, 50.0, first_s=0.5, delivered=True)
    times = world.pool.latency.of(Size.UNKNOWN)
    assert not times.usual.learned
    assert times.usual_first is not None
    assert times.usual_first.p97 == pytest.approx(0.5, rel=0.11)


def test_only_good_answers_teach(world: World) -> None:
    """A key that fails at once does not make answers look quick."""
    for _ in range(40):
        request = world.policy.request(MODEL, deadline_s=60.0)
        request.step(world.now)
        request.feed(FAULT, world.now)
    assert not world.pool.latency.of(Size.UNKNOWN).usual.learned


def test_a_callers_bound_tells_sizes_apart(world: World) -> None:
    """Short answers are learned as short ones."""
    for _ in range(40):
        request = world.policy.request(MODEL, deadline_s=60.0, max_output_tokens=100)
        request.step(world.now)
        world.pass_time(1.0)
        request.feed(Outcome(Kind.OK), world.now)
    assert world.pool.latency.of(Size.SMALL).usual.learned
    assert not world.pool.latency.of(Size.UNKNOWN).usual.learned
    assert world.pool.latency.longest_p95_s == pytest.approx(1.0, rel=0.11)


def test_usual_times_survive_a_restart(world: World) -> None:
    """The next process begins with what this one learned."""
    for _ in range(40):
        answer(world, 2.0)
    documents = json.loads(json.dumps(world.policy.snapshot()))
    again = world.make(4)
    again.restore({}, documents)
    assert again.pool(MODEL).latency.of(Size.UNKNOWN).usual.p97 == pytest.approx(2.0, rel=0.11)


def test_a_revived_key_serves_again_at_the_mean_usage(world: World) -> None:
    """It is back in every pool, at the place of its peers instead of drawing all traffic."""
    for _ in range(8):
        world.call(Outcome(Kind.OK))
    world.end(world.begin_on(1), DEAD)
    for _ in range(60):
        world.call(Outcome(Kind.OK))
    assert world.policy.revive("f1")
    assert not world.policy.revive("f1")
    assert not world.policy.revive("unknown")
    taken = [world.call(Outcome(Kind.OK)) for _ in range(8)]
    assert 1 <= taken.count(1) <= 3


def test_the_first_choice_has_a_runner_up(world: World) -> None:
    """All keys unused: the score is 1, four projects could serve, and the next one is named."""
    assert world.policy.why(world.begin()) == Choice(1.0, 4, "Key #2", 1.0)


def test_scores_follow_usage_and_what_is_out_is_counted(world: World) -> None:
    """The choice tells the score as documented, and who could not serve."""
    world.eject(3)
    world.end(world.begin_on(2), DEAD)
    world.policy.end(world.begin_on(0), Outcome(Kind.QUOTA, retry_after=30.0), world.now)
    choice = world.policy.why(world.begin())
    assert choice is not None
    assert (choice.candidates, choice.next_key) == (1, None)
    assert (choice.dead, choice.ejected, choice.closed) == (1, 1, 1)
    assert choice.score == pytest.approx(1.0)
    second = world.policy.why(world.begin())
    assert second is not None
    assert second.score == pytest.approx(0.5)


def test_a_probe_was_not_chosen_by_score(world: World) -> None:
    """Nothing is said of a score where the choice had another reason."""
    world.eject(0)
    world.pass_time(40.0)
    lease = world.begin()
    assert lease.key_label == "Key #1"
    assert world.policy.why(lease) is None


def test_a_refused_request_is_told_with_the_reason(world: World) -> None:
    """When every key is dead the record says so, and the caller's name finds it."""
    for key in range(4):
        world.end(world.begin_on(key), DEAD)
    request = world.policy.request(MODEL, deadline_s=30.0, name="turn 7")
    assert isinstance(request.step(world.now), Refuse)
    record = world.policy.history.find("turn 7")
    assert record is request.record
    assert explain(record)[-1] == "Refused 0.0 s after it was asked: every key is dead."


def test_a_cancelled_request_is_told_as_one(world: World) -> None:
    """Who left is not told to have been refused for faults."""
    request = world.policy.request(MODEL, deadline_s=30.0)
    request.step(world.now)
    world.pass_time(1.0)
    request.feed(Outcome(Kind.CANCELLED), world.now)
    assert explain(request.record)[-1] == "The caller left 1.0 s after asking."
