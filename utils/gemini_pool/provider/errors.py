"""Foreign errors end here: everything google-genai, aiohttp and asyncio can raise becomes one ``Failure``.

What always holds: the fields of an error are taken out at once (the SDK's errors hold the response, and that the key),
and no text passes that contains a key: known secrets and everything in the form of a key are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from google.genai import errors as genai_errors
from pydantic import ValidationError

from utils.gemini_pool.policy.outcome import Failure, parse_duration
from utils.security import Redactor

#: Everything an attempt may raise that is not a mistake of our own.
FOREIGN = (
    genai_errors.APIError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RuntimeError,
    # where warnings are errors, the SDK's own remark about a word it does not know yet
    Warning,
)
_LONGEST_MESSAGE = 500


def to_failure(error: BaseException, redactor: Redactor, *, sent: int) -> Failure:
    """Translate one foreign error; ``sent``: how many HTTP requests had been sent when it came."""
    if isinstance(error, genai_errors.APIError):
        return _from_api_error(error, redactor)
    if isinstance(error, TimeoutError):
        return Failure(transport="timeout", message="no answer in time")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(transport="connect", message="the service cannot be reached")
    if isinstance(error, (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionError)):
        return Failure(transport="reset", message="the connection was lost")
    if isinstance(error, (json.JSONDecodeError, genai_errors.UnknownApiResponseError)):
        return Failure(transport="malformed", message="the answer could not be read")
    if isinstance(error, (ValueError, TypeError)) and not sent:
        return Failure(transport="local", message=redactor.clean(_describe(error)))
    if isinstance(error, (aiohttp.ClientError, OSError)):
        return Failure(transport="connect", message=type(error).__name__)
    return Failure(transport="unexpected", message=type(error).__name__)


def _describe(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['msg']}"
    return str(error)[:_LONGEST_MESSAGE]


def _from_api_error(error: genai_errors.APIError, redactor: Redactor) -> Failure:
    body = error.details if isinstance(error.details, Mapping) else {}
    inner = body.get("error")
    listed = inner.get("details") if isinstance(inner, Mapping) else None
    details = [detail for detail in listed if isinstance(detail, Mapping)] if isinstance(listed, list) else []
    return Failure(
        http_status=error.code,
        status=error.status if isinstance(error.status, str) else None,
        message=redactor.clean(str(error.message or ""))[:_LONGEST_MESSAGE],
        details=_only_what_rules_read(details),
        retry_after=_retry_after(error),
    )


def _only_what_rules_read(details: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Keep reasons, delays and violations; metadata has been seen to echo the whole key."""
    kept = []
    for detail in details:
        entry = {name: detail[name] for name in ("@type", "reason", "retryDelay") if name in detail}
        violations = detail.get("violations")
        if isinstance(violations, list):
            entry["violations"] = [
                {name: one[name] for name in ("quotaId", "quotaMetric", "quotaValue") if name in one}
                for one in violations
                if isinstance(one, Mapping)
            ]
        kept.append(entry)
    return tuple(kept)


def _retry_after(error: genai_errors.APIError) -> float | None:
    headers = getattr(error.response, "headers", None)
    value = headers.get("Retry-After") if headers is not None else None
    if isinstance(value, str):
        return parse_duration(value + "s") if value.isdecimal() else parse_duration(value)
    return None
