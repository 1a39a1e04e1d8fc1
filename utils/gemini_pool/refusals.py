"""From the rules' refusal to the pool's error: one sentence each that says what to do."""

from __future__ import annotations

from typing import TypedDict

from utils.gemini_pool import errors
from utils.gemini_pool.policy.outcome import Refused
from utils.gemini_pool.policy.request import Refuse
from utils.gemini_pool.policy.waiting.slots import Obstacle


class Known(TypedDict):
    """What every error of the service's own carries."""

    retry_after: float | None
    guess: bool
    attempts: int


def to_error(refuse: Refuse, model: str) -> errors.PoolError:
    """Give the error of a refusal."""
    if refuse.refused is not None:
        return _of_the_caller(refuse, model)
    after = f"in {refuse.retry_after:.0f} s" if refuse.retry_after else "in a moment"
    known = Known(retry_after=refuse.retry_after, guess=refuse.guess, attempts=refuse.attempts)
    match refuse.obstacle:
        case Obstacle.ALL_DEAD:
            sentence = "Every key was refused for good: replace the keys, then reset the pool."
            return errors.AllKeysDeadError(sentence, attempts=refuse.attempts)
        case Obstacle.QUOTA:
            return errors.QuotaExhaustedError(f"Every project is at a limit for {model}: try again {after}.", **known)
        case Obstacle.OVERLOADED:
            return errors.ModelOverloadedError(f"{model} is overloaded for everybody: try again {after}.", **known)
        case Obstacle.DEADLINE:
            return errors.DeadlineError(
                f"{model} did not answer in time: try again {after}, or ask for less at once.", **known
            )
        case Obstacle.LINE_FULL:
            return errors.UnavailableError(f"Too many are waiting for {model}: try again {after}.", **known)
    detail = f" ({refuse.detail})" if refuse.detail else ""
    return errors.UpstreamError(f"The service failed on every attempt{detail}: try again {after}.", **known)


def _of_the_caller(refuse: Refuse, model: str) -> errors.PoolError:
    attempts = refuse.attempts
    detail = f": {refuse.detail}" if refuse.detail else ""
    match refuse.refused:
        case Refused.UNKNOWN_MODEL:
            return errors.UnknownModelError(
                f"{model}, or a file the request names, is not to be had with these keys: choose another{detail}",
                attempts=attempts,
            )
        case Refused.TOO_LARGE:
            return errors.RequestTooLargeError(
                "The request is larger than the service takes: send less at once.", attempts=attempts
            )
        case Refused.BLOCKED:
            return errors.BlockedError(
                f"A safety rule of the service stopped this ({refuse.detail}): ask in another way.",
                reason=refuse.detail,
                attempts=attempts,
            )
        case Refused.LOCATION:
            return errors.InvalidRequestError(
                f"The service does not serve this host or account: change where it runs or its billing{detail}",
                attempts=attempts,
            )
    return errors.InvalidRequestError(f"The service refused the request: mend it{detail}", attempts=attempts)
