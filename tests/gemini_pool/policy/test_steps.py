"""What a step says when nothing more is told of it."""

from __future__ import annotations

from tests.gemini_pool.policy.conftest import CALLER, MODEL, World, quota
from utils.gemini_pool.policy.steps import Call, Refuse, Wait


def test_only_a_refusal_that_depends_on_a_call_under_way_is_a_guess(world: World) -> None:
    """Neither the caller's own fault is one, which comes again at no time, nor a wall whose end was told."""
    request = world.policy.request(MODEL, deadline_s=30.0)
    assert isinstance(request.step(world.now), Call)
    request.feed(CALLER, world.now)
    own_fault = request.step(world.now)
    for key in range(4):
        world.call_on(key, quota(500.0))
    walled = world.policy.request(MODEL, deadline_s=30.0).step(world.now)
    assert isinstance(own_fault, Refuse)
    assert isinstance(walled, Refuse)
    assert (own_fault.retry_after, own_fault.guess) == (None, False)
    assert (walled.retry_after, walled.guess) == (500.0, False)


def test_a_wait_between_two_attempts_has_no_place() -> None:
    """It stands in no line."""
    wait = Wait(5.0, None)
    assert (wait.place, wait.estimate_s) == (0, None)
