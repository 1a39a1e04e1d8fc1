"""What a step says when nothing more is told of it."""

from __future__ import annotations

from utils.gemini_pool.policy.steps import Refuse, Wait


def test_a_refusal_of_which_nothing_more_is_known_promises_nothing() -> None:
    """No time to come again, so no guess at one either; nothing in the way, and nobody's fault."""
    refuse = Refuse("detail", 2)
    assert (refuse.retry_after, refuse.guess) == (None, False)
    assert (refuse.obstacle, refuse.refused, refuse.model) == (None, None, "")


def test_a_wait_between_two_attempts_has_no_place() -> None:
    """It stands in no line."""
    wait = Wait(5.0, None)
    assert (wait.place, wait.estimate_s) == (0, None)
