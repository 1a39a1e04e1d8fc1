"""What happened in one attempt, and what it means: the only classification in the pool.

``Failure`` is what ``provider/`` makes of everything foreign; ``classify`` gives it a class; ``Outcome`` is what the
rules read. What always holds: a class is decided by fields of the answer first and by the text of a message only where
no field says it; the unknown becomes the mildest class that is safe, with ``unknown`` set to its shape (never its text,
which may hold a key) so that it is logged once. Reading a refusal for quota is ``quota.texts``'s.
Facts about the service's error bodies: https://ai.google.dev/gemini-api/docs/troubleshooting and
https://cloud.google.com/apis/design/errors .
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from utils.gemini_pool.policy.quota.texts import (
    LimitNamed,
    Measure,
    Window,
    parse_duration,
    read_quota,
    retry_delay,
    shape,
)

__all__ = [
    "COUNTED_AS_ERROR",
    "FAULTS",
    "FREE_MOVES",
    "Failure",
    "Kind",
    "LimitNamed",
    "Measure",
    "Outcome",
    "Refused",
    "Window",
    "classify",
    "parse_duration",
]


class Kind(StrEnum):
    """The class of an outcome."""

    OK = "ok"
    QUOTA = "quota"
    NO_QUOTA_HERE = "no_quota"
    KEY_DEAD = "key_dead"
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    FAULT = "fault"
    CALLER = "caller"
    CANCELLED = "cancelled"


#: Ended badly for the statistics: the service or the key is to blame, not who asked.
COUNTED_AS_ERROR = frozenset({Kind.QUOTA, Kind.NO_QUOTA_HERE, Kind.KEY_DEAD, Kind.OVERLOADED, Kind.TIMEOUT, Kind.FAULT})
#: Bad for the health of (key, model).
FAULTS = frozenset({Kind.OVERLOADED, Kind.TIMEOUT, Kind.FAULT})
#: Moving on to another key after these costs nothing.
FREE_MOVES = frozenset({Kind.QUOTA, Kind.NO_QUOTA_HERE, Kind.KEY_DEAD})


class Refused(StrEnum):
    """Why the caller's own request was refused."""

    INVALID = "invalid"
    UNKNOWN_MODEL = "unknown_model"
    TOO_LARGE = "too_large"
    BLOCKED = "blocked"
    LOCATION = "location"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt in neutral words; no secret is in any field.

    ``http_status``: the status code, or None when no HTTP answer came. ``status``: the error body's own word
    (``RESOURCE_EXHAUSTED``). ``details``: its list of typed objects. ``retry_after``: seconds of a Retry-After header.
    ``transport``: ``timeout``, ``connect``, ``reset``, ``malformed``, ``truncated``, ``empty``, ``local`` (nothing was
    sent), ``unexpected`` (``message`` is the error's type) or None. ``links_files``: the request points to a file or
    video by its address, which may be somebody's own.
    """

    http_status: int | None = None
    status: str | None = None
    message: str = ""
    details: Sequence[Mapping[str, Any]] = ()
    retry_after: float | None = None
    transport: str | None = None
    blocked: str | None = None
    key_disabled: bool = False
    links_files: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt's class with what the rules need of it.

    ``retry_after``: seconds the service asked us to wait. ``window``: which quota window was full. ``limits``: the
    limits it was refused for, as far as named. ``quota_value``: the smallest number among them, whatever it counts.
    ``detail``: a short safe text for people.
    """

    kind: Kind
    detail: str = ""
    retry_after: float | None = None
    window: Window | None = None
    limits: tuple[LimitNamed, ...] = ()
    quota_value: int | None = None
    refused: Refused | None = None
    unknown: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    #: HTTP requests to generate that the attempt sent (automatic function calls and continuations send more than one).
    requests: int = field(default=1)
    #: Seconds until the first byte of an answer asked for in pieces; None for a whole one.
    first_s: float | None = None


_DEAD_REASONS = frozenset(
    {
        "API_KEY_INVALID",
        "API_KEY_EXPIRED",
        "API_KEY_SERVICE_BLOCKED",
        "API_KEY_HTTP_REFERRER_BLOCKED",
        "API_KEY_IP_ADDRESS_BLOCKED",
        "CONSUMER_SUSPENDED",
        "CONSUMER_INVALID",
        "SERVICE_DISABLED",
        "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        "CREDENTIALS_MISSING",
    }
)
#: Says that the model is full for everybody, under the status that otherwise stands for the caller's own quota.
_CAPACITY_REASON = "MODEL_CAPACITY_EXHAUSTED"
#: An error inside a stream that began with 200 has only its word.
_CODE_OF_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_FIRST_ERROR_CODE = 400
_LONGEST_UNKNOWN = 200


def classify(failure: Failure) -> Outcome:
    """Give a failure its class."""
    if failure.key_disabled:
        return Outcome(Kind.KEY_DEAD, detail="the account of this key is limited for policy violations")
    if failure.blocked is not None:
        return Outcome(Kind.CALLER, detail=failure.blocked, refused=Refused.BLOCKED)
    if failure.transport is not None:
        return _classify_transport(failure)
    return _classify_status(failure)


def _classify_transport(failure: Failure) -> Outcome:
    if failure.transport == "local":
        return Outcome(Kind.CALLER, detail=failure.message, refused=Refused.INVALID, requests=0)
    if failure.transport == "timeout":
        return Outcome(Kind.TIMEOUT, detail="no answer in time")
    unknown = f"error {shape(failure.message)}" if failure.transport == "unexpected" else None
    return Outcome(Kind.FAULT, detail=failure.transport or "", unknown=unknown)


def _classify_status(failure: Failure) -> Outcome:
    code = failure.http_status or 0
    if code < _FIRST_ERROR_CODE:
        code = _CODE_OF_STATUS.get(failure.status or "", code)
    if _reason(failure) in _DEAD_REASONS:
        return Outcome(Kind.KEY_DEAD, detail=_reason(failure))
    special = _BY_STATUS.get(code)
    if special is not None:
        return special(failure)
    known = code in (408, 500, 502, 504)
    unknown = None if known else f"HTTP {code} {shape(failure.status) if failure.status else 'without status'}"
    return Outcome(Kind.FAULT, detail=f"HTTP {code}", unknown=unknown)


def _classify_bad_request(failure: Failure) -> Outcome:
    if failure.status == "FAILED_PRECONDITION":
        return Outcome(Kind.CALLER, detail=failure.message, refused=Refused.LOCATION)
    if failure.message.startswith(("API key not valid", "API key expired", "API Key not found")):
        return Outcome(Kind.KEY_DEAD, detail="API_KEY_INVALID")
    return Outcome(Kind.CALLER, detail=failure.message, refused=Refused.INVALID)


def _classify_forbidden(failure: Failure) -> Outcome:
    text = failure.message.lower()
    if "leaked" in text:
        return Outcome(Kind.KEY_DEAD, detail="reported as leaked")
    if "suspended" in text or "are blocked" in text:
        return Outcome(Kind.KEY_DEAD, detail="suspended or blocked")
    if failure.links_files:
        # the same words are said of a private video and of another project's file: the next key would be refused too
        return Outcome(Kind.CALLER, detail="a linked file or video may not be opened", refused=Refused.INVALID)
    # "The caller does not have permission" has been seen for one model only: closing that model here is enough
    return Outcome(Kind.NO_QUOTA_HERE, detail="no permission for this model")


def _reason(failure: Failure) -> str:
    """Give the first reason that the details name; one that condemns the key goes before any other."""
    reasons = [reason for detail in failure.details if isinstance(reason := detail.get("reason"), str) and reason]
    return next((reason for reason in reasons if reason in _DEAD_REASONS), reasons[0] if reasons else "")


def _classify_quota(failure: Failure) -> Outcome:
    said = read_quota(failure.message, failure.details, failure.retry_after)
    if _reason(failure) == _CAPACITY_REASON:
        return Outcome(Kind.OVERLOADED, detail="overloaded", retry_after=said.retry_after)
    if 0 in said.values:
        return Outcome(Kind.NO_QUOTA_HERE, detail="this project has no quota for this model", quota_value=0)
    return Outcome(
        Kind.QUOTA,
        detail="daily limit" if said.window is Window.DAY else "limit per minute",
        retry_after=said.retry_after,
        window=said.window,
        limits=said.limits,
        quota_value=min(said.values, default=None),
        unknown="quota id " + ", ".join(said.strange_ids)[:_LONGEST_UNKNOWN] if said.strange_ids else None,
    )


def _retry_delay(failure: Failure) -> float | None:
    return retry_delay(failure.message, failure.details, failure.retry_after)


_BY_STATUS: Mapping[int, Callable[[Failure], Outcome]] = {
    400: _classify_bad_request,
    401: lambda failure: Outcome(Kind.KEY_DEAD, detail=_reason(failure) or "not accepted"),
    403: _classify_forbidden,
    404: lambda failure: Outcome(Kind.CALLER, detail=failure.message, refused=Refused.UNKNOWN_MODEL),
    413: lambda failure: Outcome(Kind.CALLER, detail=failure.message, refused=Refused.TOO_LARGE),
    429: _classify_quota,
    499: lambda _: Outcome(Kind.CANCELLED, detail="closed by the client"),
    503: lambda failure: Outcome(Kind.OVERLOADED, detail="overloaded", retry_after=_retry_delay(failure)),
}
