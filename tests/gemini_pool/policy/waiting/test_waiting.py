"""Those who wait for one model: their order, what they are told, and who had better not wait."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import FAULT, MODEL, OK, OVERLOADED, World, quota
from tests.gemini_pool.policy.crowd import Crowd
from utils.gemini_pool.policy import Answered, PoolConfig, Refuse
from utils.gemini_pool.policy.waiting.slots import Obstacle


def declared(per_minute: int, *, keys: int = 1, **constants: float) -> Crowd:
    """Keys with a declared limit, so that places come free a minute (and its margin) after they were taken."""
    return Crowd(World(config=PoolConfig(requests_per_minute=per_minute, **constants), keys=keys))  # type: ignore[arg-type]  # the fields' types differ


def filled(crowd: Crowd, places: int) -> None:
    """Take every place of the minute, one a second, and see the calls answered."""
    for _ in range(places):
        crowd.end(crowd.ask("before"), OK)
        crowd.world.pass_time(1.0)


def test_a_newcomer_never_overtakes_the_line():
    """A place that came free unseen goes to who has waited, not to who comes at that moment."""
    crowd = declared(1)
    filled(crowd, 1)
    first = crowd.ask("a", deadline_s=120.0)
    crowd.world.pass_time(61.0)
    late = crowd.ask("b", deadline_s=120.0)
    assert late in crowd.waits
    crowd.take_turns()
    assert first in crowd.calls
    assert crowd.waits[late].until == crowd.world.now + 61.0


def test_users_take_turns_and_are_told_their_place():
    """Three questions of one and one of another: the other goes second, and everybody knows when."""
    crowd = declared(6)
    filled(crowd, 6)
    requests = [crowd.ask(user, deadline_s=120.0) for user in ("a", "a", "a", "b")]
    assert [crowd.waits[request].place for request in requests] == [1, 2, 3, 2]
    assert [crowd.waits[request].estimate_s for request in requests] == [55.0, 56.0, 57.0, 56.0]
    crowd.pass_time(70.0, lambda _: OK)
    assert [requests.index(request) for request in crowd.went[6:]] == [0, 3, 1, 2]
    assert all(isinstance(crowd.ends[request], Answered) for request in requests)


def test_a_place_is_corrected_when_others_leave():
    """The next in line is told anew at once, the others when they look."""
    crowd = declared(3)
    filled(crowd, 3)
    first, second, third = (crowd.ask(user, deadline_s=120.0) for user in "abc")
    crowd.leave(first)
    assert (crowd.waits[second].place, crowd.waits[third].place) == (1, 3)
    crowd.step(third)
    assert crowd.waits[third].place == 2
    assert isinstance(first.step(crowd.world.now), Refuse)


def test_whoever_would_come_too_late_hears_it_at_once():
    """The third of three places is beyond the deadline: refused with the time at which it would have been its turn."""
    crowd = declared(3)
    filled(crowd, 3)
    crowd.world.pass_time(39.5)
    kept = [crowd.ask(user, deadline_s=30.0) for user in "ab"]
    end = crowd.ends[crowd.ask("c", deadline_s=30.0)]
    assert all(request in crowd.waits for request in kept)
    assert isinstance(end, Refuse)
    assert end.obstacle is Obstacle.QUOTA
    assert (end.retry_after, end.guess) == (20.5, False)


def test_a_wait_that_has_become_hopeless_ends_at_once():
    """The wall that was to fall in ten seconds turns out to stand for five minutes."""
    crowd = Crowd(World(keys=1))
    first, second = crowd.ask(max_retries=0), crowd.ask(max_retries=0)
    crowd.end(first, quota(10.0))
    waiting = [crowd.ask(user) for user in "abc"]
    assert all(request in crowd.waits for request in waiting)
    crowd.end(second, quota(300.0))
    for request in waiting:
        end = crowd.ends[request]
        assert isinstance(end, Refuse)
        assert end.obstacle is Obstacle.QUOTA
        assert end.retry_after is not None
        assert end.retry_after >= 300.0


def test_a_hurried_one_does_not_make_others_late():
    """Two wait for the two places before their deadline: who must go before them is turned away at once."""
    crowd = declared(2)
    filled(crowd, 2)
    crowd.world.pass_time(40.5)
    kept = [crowd.ask(user, deadline_s=30.0) for user in "ab"]
    hurried = crowd.ask("c", deadline_s=29.0)
    assert isinstance(crowd.ends[hurried], Refuse)
    crowd.pass_time(40.0, lambda _: OK)
    assert all(isinstance(crowd.ends[request], Answered) for request in kept)


def test_everybody_who_is_let_wait_is_served():
    """However many questions one user asks first, and whoever comes after: no wait ends in a refusal."""
    crowd = declared(20)
    filled(crowd, 20)
    asked = [crowd.ask("hog", deadline_s=60.0) for _ in range(30)]
    for number in range(40):
        asked.append(crowd.ask(f"user {number}", deadline_s=60.0))
        crowd.pass_time(0.25, lambda _: OK)
    waited = [request for request in asked if request in crowd.waits or request in crowd.ends]
    refused = {request for request, end in crowd.ends.items() if isinstance(end, Refuse)}
    crowd.pass_time(90.0, lambda _: OK)
    assert {request for request, end in crowd.ends.items() if isinstance(end, Refuse)} == refused
    assert len(waited) == len(asked)


def test_one_user_leaves_room_for_others():
    """A user who asks thirty times does not take all the room there is; those who name no user are not held back."""
    for user, waiting in (("hog", 18), (None, 20)):
        crowd = declared(20)
        filled(crowd, 20)
        for _ in range(30):
            crowd.ask(user, deadline_s=80.0)
        assert len(crowd.waits) == waiting


def test_too_many_do_not_wait_for_what_nobody_can_foresee():
    """More than ``max_waiting`` may wait only if the pace can let them all go in time."""
    crowd = Crowd(World(config=PoolConfig(max_waiting=5), keys=3))
    while not crowd.world.pool.breaker.is_open:
        crowd.end(crowd.ask(max_retries=0), OVERLOADED)
    crowd.world.pass_time(120.0)
    ends = [crowd.ends.get(crowd.ask(number, deadline_s=20.0)) for number in range(30)]
    assert 5 < len(crowd.waits) < 25
    refused = [end for end in ends if isinstance(end, Refuse)]
    assert len(refused) + len(crowd.waits) + len(crowd.calls) == 30
    assert {(end.obstacle, end.guess) for end in refused} == {(Obstacle.LINE_FULL, True)}
    assert all(end.retry_after is not None and end.retry_after > 15.0 for end in refused)


def test_a_long_line_keeps_the_usual_rate_in_mind():
    """Who looks far ahead, to see whether the pace could let it go in time, does not make the known rate fade."""
    crowd = Crowd(World(config=PoolConfig(max_waiting=5), keys=3))
    while not crowd.world.pool.breaker.is_open:
        crowd.end(crowd.ask(max_retries=0), OVERLOADED)
    for number in range(120):
        crowd.ask(number, deadline_s=60.0)
        crowd.world.pass_time(1.0)
    assert crowd.world.policy.room(MODEL).arrivals.per_s(crowd.world.now) == pytest.approx(1.0, rel=0.1)


def test_an_overloaded_model_is_told_after_a_while():
    """Not for a hiccup: the reader hears of it after three seconds."""
    crowd = Crowd(World(keys=3))
    while not crowd.world.pool.breaker.is_open:
        crowd.end(crowd.ask(max_retries=0), OVERLOADED)
    probing = crowd.ask("a")
    waiting = crowd.ask("b")
    assert probing in crowd.waits
    assert crowd.waits[waiting].obstacle is None
    crowd.pass_time(3.0)
    assert crowd.waits[waiting].obstacle is Obstacle.OVERLOADED


def test_nobody_without_time_for_an_answer_rides_a_probe():
    """The first of the line is about to leave: the probe goes to the first who has time."""
    crowd = Crowd(World(keys=3))
    while not crowd.world.pool.breaker.is_open:
        crowd.end(crowd.ask(max_retries=0), OVERLOADED)
    hurried = crowd.ask("a", deadline_s=9.0)
    patient = crowd.ask("b", deadline_s=60.0)
    hurried.deadline_at = crowd.world.now + 4.0
    crowd.world.pass_time(2.0)
    crowd.take_turns()
    assert patient in crowd.calls
    assert hurried in crowd.waits


def test_after_an_overload_the_line_is_let_go_at_twice_the_usual_rate():
    """Sixty asked, one a second; when the model answers again, two a second go, not all at once."""
    crowd = Crowd(World(keys=3))
    while not crowd.world.pool.breaker.is_open:
        crowd.end(crowd.ask(max_retries=0), OVERLOADED)
    for number in range(60):
        crowd.ask(number, deadline_s=120.0)
        crowd.pass_time(1.0, lambda _: OVERLOADED)
    waiting = len(crowd.waits)
    assert waiting > 50
    crowd.pass_time(15.0, lambda _: OK)
    went = len(crowd.went)
    crowd.pass_time(5.0, lambda _: OK)
    assert 6 <= len(crowd.went) - went <= 11
    crowd.pass_time(60.0, lambda _: OK)
    assert not crowd.waits
    assert all(isinstance(end, Answered) for end in list(crowd.ends.values())[-waiting:])


def test_a_call_begun_for_one_who_leaves_is_given_back():
    """The place was granted while its reader went away: nothing stays in flight and nothing was sent."""
    crowd = declared(1)
    filled(crowd, 1)
    first, second = crowd.ask("a", deadline_s=180.0), crowd.ask("b", deadline_s=180.0)
    crowd.world.pass_time(61.0)
    assert crowd.world.policy.take_turns(crowd.world.now) == [first, second]
    first.leave(crowd.world.now)
    first.leave(crowd.world.now)
    assert crowd.world.policy.take_turns(crowd.world.now) == [second]
    crowd.step(second)
    assert second in crowd.calls
    assert crowd.world.pool.projects[0].in_flight == 1


def test_without_a_budget_a_request_waits_like_a_newcomer():
    """Faults after the bucket was emptied: further attempts go one after the other, and newcomers behind them."""
    crowd = Crowd(World(config=PoolConfig(budget_size=4.0), keys=6))
    first, second, third = (crowd.ask(user) for user in "abc")
    for request in (first, second, third):
        crowd.end(request, FAULT)
    newcomer = crowd.ask("d")
    assert first in crowd.calls
    assert [crowd.waits[request].place for request in (second, third, newcomer)] == [1, 2, 3]
    crowd.pass_time(10.0)
    assert crowd.went[-3:] == [second, third, newcomer]


def test_what_an_answered_request_had_paid_is_returned():
    """Seven faults and an answer leave the bucket as it was."""
    crowd = Crowd(World(keys=12))
    room = crowd.world.policy.room(MODEL)
    outcomes = iter([FAULT] * 3 + [OK])
    request = crowd.ask(deadline_s=120.0)
    crowd.pass_time(60.0, lambda _: next(outcomes, OK))
    assert isinstance(crowd.ends[request], Answered)
    assert room.budget.level == 100.0
    failed = crowd.ask(deadline_s=120.0, max_retries=1)
    crowd.pass_time(60.0, lambda _: FAULT)
    assert isinstance(crowd.ends[failed], Refuse)
    assert room.budget.level == 95.0


def test_a_reset_lets_those_who_wait_go_on():
    """The pool is made anew while people wait: their places stay, and the new pool serves them."""
    crowd = Crowd(World(keys=1))
    crowd.end(crowd.ask("z", max_retries=0), quota(25.0))
    waiting = [crowd.ask(user, deadline_s=60.0) for user in "ab"]
    crowd.world.policy.reset_pools([key.spec for key in crowd.world.policy.keys])
    crowd.take_turns()
    assert all(request in crowd.calls for request in waiting)


def test_the_next_model_of_the_list_answers():
    """Where the first cannot serve in time, the answer says which did."""
    crowd = Crowd(World(keys=1))
    crowd.end(crowd.ask(max_retries=0), quota(300.0))
    request = crowd.ask(fallbacks=("other", "third"))
    call = crowd.calls[request]
    assert (call.model, call.lease.model, request.model) == ("other", "other", "other")
    crowd.end(request, OK)
    end = crowd.ends[request]
    assert isinstance(end, Answered)
    assert end.model == "other"


def test_when_no_model_can_serve_the_first_refusal_is_told():
    """What stands in the way of the model that was asked for, with all attempts counted."""
    crowd = Crowd(World(keys=1))
    crowd.end(crowd.ask(max_retries=0), quota(300.0))
    request = crowd.ask(fallbacks=["other"])
    crowd.world.pass_time(2.0)
    crowd.end(request, quota(500.0))
    end = crowd.ends[request]
    assert isinstance(end, Refuse)
    assert (end.obstacle, end.attempts, end.retry_after) == (Obstacle.QUOTA, 1, 298.0)
    assert (end.model, request.model) == (MODEL, "other")


def test_no_other_model_goes_on_with_what_was_seen():
    """A text half of one model and half of another is nobody's answer."""
    crowd = Crowd(World(keys=1))
    request = crowd.ask(fallbacks=["other"])
    call = crowd.calls.pop(request)
    request.feed(quota(300.0), crowd.world.now, delivered=True, resumable=True)
    end = request.step(crowd.world.now)
    assert isinstance(end, Refuse)
    assert call.model == request.model == MODEL


def test_dead_keys_are_dead_for_every_model():
    """No fallback is tried where it cannot help."""
    crowd = Crowd(World(keys=0))
    end = crowd.ends[crowd.ask(fallbacks=["other"])]
    assert isinstance(end, Refuse)
    assert (end.obstacle, end.retry_after) == (Obstacle.ALL_DEAD, None)


def test_a_step_with_a_call_under_way_is_a_mistake_of_ours():
    """It would begin a second call that nobody ends."""
    crowd = Crowd(World())
    request = crowd.ask()
    with pytest.raises(RuntimeError, match="under way"):
        request.step(crowd.world.now)
