"""Everything that can go wrong in the pool, as one tree.

PoolError
├── ConfigurationError          what the operator must mend
│   ├── NoKeysError             no key is configured
│   ├── KeyFormatError          a configured key cannot be one
│   └── PoolClosedError         the pool was closed
├── UsageError                  what the calling code must mend (also a ValueError)
├── RequestError                what the caller asked cannot be answered; no key is to blame
│   ├── InvalidRequestError     the service refused the request as it stands
│   ├── UnknownModelError       no such model for these keys
│   ├── RequestTooLargeError    more than the model or the service takes
│   └── BlockedError            a safety rule stopped the question or the answer
└── UnavailableError            nobody could serve it now; trying later may help
    ├── AllKeysDeadError        every key was refused for good
    ├── QuotaExhaustedError     every project is at a limit
    ├── ModelOverloadedError    the model answers 503 to all keys
    ├── UpstreamError           faults on every attempt (timeouts, resets, 500, broken answers)
    └── DeadlineError           the time given ran out

A ``PoolError`` can be handed out in place of an answer: its ``text`` is None, and ``retry_after`` says in seconds when
trying again makes sense (None: not known, or never). The message is one English sentence that says what to do and
holds no secret; ``utils/rendering`` says the same in the reader's language by the class.
Foreign errors end at ``provider/errors``; nothing of google-genai or aiohttp comes out of the pool.
"""

from __future__ import annotations

from typing import ClassVar


class PoolError(Exception):
    """Base of all the pool raises or hands out.

    ``retry_after``: seconds until another try makes sense, or None. ``guess``: the figure is an estimate from
    incomplete knowledge. ``attempts``: HTTP requests that were sent for this question. ``request_id``: what the pool's
    ``explain`` tells its way by; None where there was none to go.
    """

    #: Mirrors the response's ``text``, so that ``(result, success)`` can be read the same way in both cases.
    text: ClassVar[None] = None

    def __init__(
        self, message: str, *, retry_after: float | None = None, guess: bool = False, attempts: int = 0
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.guess = guess
        self.attempts = attempts
        self.request_id: str | None = None


class ConfigurationError(PoolError):
    """The operator must mend the configuration."""


class NoKeysError(ConfigurationError):
    """No key is configured."""


class KeyFormatError(ConfigurationError):
    """A configured key holds characters no key can hold."""


class PoolClosedError(ConfigurationError):
    """The pool was closed; a closed pool answers nothing more."""


class UsageError(PoolError, ValueError):
    """The calling code asked in a way that cannot work, whatever the keys."""


class RequestError(PoolError):
    """The request itself cannot be answered; another key would not help."""


class InvalidRequestError(RequestError):
    """The service refused the request as it stands."""


class UnknownModelError(RequestError):
    """The model does not exist, or does not do what was asked."""


class RequestTooLargeError(RequestError):
    """The request is larger than the model or the service takes."""


class BlockedError(RequestError):
    """A safety rule stopped the question or the answer; ``reason`` is the service's own word for it."""

    def __init__(self, message: str, *, reason: str, attempts: int = 0) -> None:
        super().__init__(message, attempts=attempts)
        self.reason = reason


class UnavailableError(PoolError):
    """Nobody could serve the request now."""


class AllKeysDeadError(UnavailableError):
    """Every key was refused for good; an operator must act."""


class QuotaExhaustedError(UnavailableError):
    """Every project is at one of its limits until ``retry_after``."""


class ModelOverloadedError(UnavailableError):
    """The model answers 503 to every key."""


class UpstreamError(UnavailableError):
    """Every attempt ended in a fault of the service or of the way to it."""


class DeadlineError(UnavailableError):
    """The time given to the request ran out before an answer was there."""
