"""What happened in one attempt, and what it means: the only classification in the pool.

``Failure`` is what ``provider/`` makes of everything foreign; ``classify`` gives it a class; ``Outcome`` is what the
rules read. What always holds: a class is decided by fields of the answer first and by the text of a message only where
no field says it; the unknown becomes the mildest class that is safe, with ``unknown`` set so that it is logged once.
Facts about the service's error bodies: https://ai.google.dev/gemini-api/docs/troubleshooting and
https://cloud.google.com/apis/design/errors .
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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


class Window(StrEnum):
    """The length of the quota window that was full."""

    MINUTE = "minute"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt in neutral words; no secret is in any field.

    ``http_status``: the status code, or None when no HTTP answer came. ``status``: the error body's own word
    (``RESOURCE_EXHAUSTED``). ``details``: its list of typed objects. ``retry_after``: seconds of a Retry-After header.
    ``transport``: ``timeout``, ``connect``, ``reset``, ``malformed``, ``truncated``, ``empty``, ``local`` (nothing was
    sent), ``unexpected`` (``message`` is the error's type) or None.
    """

    http_status: int | None = None
    status: str | None = None
    message: str = ""
    details: Sequence[Mapping[str, Any]] = ()
    retry_after: float | None = None
    transport: str | None = None
    blocked: str | None = None
    key_disabled: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt's class with what the rules need of it.

    ``retry_after``: seconds the service asked us to wait. ``window``: which quota window was full. ``quota_value``: the
    smallest limit the service named. ``detail``: a short safe text for people. ``seconds``: how long the attempt took.
    """

    kind: Kind
    detail: str = ""
    retry_after: float | None = None
    window: Window | None = None
    quota_value: int | None = None
    #: Requests per minute that the service named as the limit it refused for.
    requests_per_minute: int | None = None
    refused: Refused | None = None
    unknown: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    #: HTTP requests to generate that the attempt sent (automatic function calls and continuations send more than one).
    requests: int = field(default=1)


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
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_DURATION_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_RETRY_IN = re.compile(r"[Pp]lease retry in ((?:\d+(?:\.\d+)?(?:ms|[smh]))+)")
_LIMIT = re.compile(r"limit: (\d+)")


def parse_duration(text: object) -> float | None:
    """Read ``26s``, ``36.4s``, ``1m30s`` or ``150ms`` as seconds; None when it is none of these."""
    if not isinstance(text, str) or not text:
        return None
    parts = _DURATION_PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _DURATION_UNIT[unit] for number, unit in parts)


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
    unknown = f"error {failure.message}" if failure.transport == "unexpected" else None
    return Outcome(Kind.FAULT, detail=failure.transport or "", unknown=unknown)


def _classify_status(failure: Failure) -> Outcome:
    code = failure.http_status or 0
    if any(detail.get("reason") in _DEAD_REASONS for detail in failure.details):
        return Outcome(Kind.KEY_DEAD, detail=_reason(failure))
    special = _BY_STATUS.get(code)
    if special is not None:
        return special(failure)
    unknown = None if code in (408, 500, 502, 504) else f"HTTP {code} {failure.status or 'without status'}"
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
    # "The caller does not have permission" has been seen for one model only: closing that model here is enough
    return Outcome(Kind.NO_QUOTA_HERE, detail="no permission for this model")


def _reason(failure: Failure) -> str:
    return next((str(detail["reason"]) for detail in failure.details if detail.get("reason")), "")


def _classify_quota(failure: Failure) -> Outcome:
    violations = list(_violations(failure))
    values = [value for violation in violations if (value := _whole(violation.get("quotaValue"))) is not None]
    named = _LIMIT.search(failure.message)
    if not values and named:
        values = [int(named[1])]
    if 0 in values:
        return Outcome(Kind.NO_QUOTA_HERE, detail="this project has no quota for this model", quota_value=0)
    ids = [str(violation.get("quotaId", "")) for violation in violations]
    window = Window.DAY if any("PerDay" in quota_id for quota_id in ids) else Window.MINUTE
    known = all("PerDay" in quota_id or "PerMinute" in quota_id for quota_id in ids)
    return Outcome(
        Kind.QUOTA,
        detail="daily limit" if window is Window.DAY else "limit per minute",
        retry_after=_retry_delay(failure),
        window=window,
        quota_value=min(values) if values else None,
        requests_per_minute=_requests_per_minute(violations),
        unknown=None if known else "quota id " + ", ".join(sorted(ids)),
    )


def _requests_per_minute(violations: Sequence[Mapping[str, Any]]) -> int | None:
    values = [
        value
        for violation in violations
        if "RequestsPerMinute" in str(violation.get("quotaId", ""))
        and (value := _whole(violation.get("quotaValue"))) is not None
    ]
    return min(values, default=None)


def _violations(failure: Failure) -> Iterator[Mapping[str, Any]]:
    for detail in failure.details:
        listed = detail.get("violations")
        if isinstance(listed, list):
            yield from (violation for violation in listed if isinstance(violation, Mapping))


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None


def _retry_delay(failure: Failure) -> float | None:
    for detail in failure.details:
        delay = parse_duration(detail.get("retryDelay"))
        if delay is not None:
            return delay
    if failure.retry_after is not None:
        return failure.retry_after
    said = _RETRY_IN.search(failure.message)
    return parse_duration(said[1]) if said else None


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
