"""Read what a refusal for quota says: which limits it names, whether a day is spent, and how long to wait.

Pure, and safe against bodies of any shape: whatever cannot be read is left out. The order of trust: the typed details
(``quotaId`` names the window, ``quotaValue`` the limit, ``RetryInfo`` the wait), then the header, then the words of the
message. The wait in ``RetryInfo`` comes rounded to whole seconds while the message tells it to the nanosecond; where
the two agree, the exact one counts, since two keys of one project are found out by the moment their walls end.
Bodies as users of the service have published them: https://github.com/RooCodeInc/Roo-Code/issues/3883 ,
https://github.com/googleapis/python-genai/issues/2044 , https://github.com/diegosouzapw/OmniRoute/issues/9504 .
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Window(StrEnum):
    """The length of the quota window that was full."""

    MINUTE = "minute"
    DAY = "day"


class Measure(StrEnum):
    """What a limit counts, and in which time."""

    REQUESTS_PER_MINUTE = "requests_per_minute"
    TOKENS_PER_MINUTE = "tokens_per_minute"
    REQUESTS_PER_DAY = "requests_per_day"


@dataclass(frozen=True, slots=True)
class LimitNamed:
    """A limit that a refusal was given for; ``value`` is None when the refusal does not tell it."""

    measure: Measure
    value: int | None


@dataclass(frozen=True, slots=True)
class QuotaSaid:
    """What a refusal said. ``values``: every limit's number, whatever it counts; ``strange_ids``: ids never seen."""

    window: Window
    limits: tuple[LimitNamed, ...]
    values: tuple[int, ...]
    strange_ids: tuple[str, ...]
    retry_after: float | None


#: No wait is believed that is longer than this; whatever a refusal says, the project is asked again the next day.
_LONGEST_WAIT_S = 86400.0
#: A wait in whole seconds and one with a fraction mean the same when they are less than this apart.
_ROUNDING_S = 1.0
#: A limit of more digits than this is no limit.
_LONGEST_NUMBER = 15
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_DURATION_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_RETRY_IN = re.compile(r"[Pp]lease retry in ((?:[0-9]+(?:\.[0-9]+)?(?:ms|[smh]))+)")
_LIMIT = re.compile(r"limit: ([0-9]+)")
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z_/-]{0,79}")


def parse_duration(text: object) -> float | None:
    """Read ``26s``, ``36.4s``, ``1m30s`` or ``150ms`` as seconds; None when it is none of these."""
    if not isinstance(text, str) or not text:
        return None
    parts = _DURATION_PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _DURATION_UNIT[unit] for number, unit in parts)


def sensible_wait(seconds: float | None) -> float | None:
    """Bound a wait; None for what is none, such as a negative one."""
    if seconds is None or math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, _LONGEST_WAIT_S)


def shape(text: str) -> str:
    """Give a foreign name in a form that is safe in a log: the name if it is a plain one, else its length only."""
    # keys begin so or hold digits; a name of either kind is never repeated
    if _PLAIN_NAME.fullmatch(text) and "AIza" not in text:
        return text
    return f"({len(text)} characters)"


def retry_delay(message: str, details: Sequence[Mapping[str, Any]], header: float | None) -> float | None:
    """Seconds that an error asks to wait: by its details, its header or its message; None when it does not say."""
    found = _RETRY_IN.search(message)
    said = parse_duration(found[1]) if found else None
    for detail in details:
        delay = parse_duration(detail.get("retryDelay"))
        if delay is not None:
            same = said is not None and delay.is_integer() and abs(said - delay) < _ROUNDING_S
            return sensible_wait(said if same else delay)
    if header is not None and sensible_wait(header) is not None:
        return sensible_wait(header)
    return sensible_wait(said)


def read_quota(message: str, details: Sequence[Mapping[str, Any]], header: float | None) -> QuotaSaid:
    """Read a refusal with the status 429."""
    violations = list(_violations(details))
    ids = [str(violation.get("quotaId", "")) for violation in violations]
    values = [value for violation in violations if (value := _whole(violation.get("quotaValue"))) is not None]
    if not values:
        values = [value for number in _LIMIT.findall(message) if (value := _whole(number)) is not None]
    return QuotaSaid(
        window=Window.DAY if any("PerDay" in quota_id for quota_id in ids) else Window.MINUTE,
        limits=_limits(violations),
        values=tuple(values),
        strange_ids=tuple(sorted({shape(one) for one in ids if "PerDay" not in one and "PerMinute" not in one})),
        retry_after=retry_delay(message, details, header),
    )


def _limits(violations: Sequence[Mapping[str, Any]]) -> tuple[LimitNamed, ...]:
    """Give one limit for each measure named: the smallest value, when several are told."""
    smallest: dict[Measure, int | None] = {}
    for violation in violations:
        measure = _measure(str(violation.get("quotaId", "")))
        if measure is None:
            continue
        value, before = _whole(violation.get("quotaValue")), smallest.get(measure)
        smallest[measure] = before if value is None else value if before is None else min(value, before)
    return tuple(LimitNamed(measure, value) for measure, value in smallest.items())


def _measure(quota_id: str) -> Measure | None:
    if "PerMinute" in quota_id:
        if "Requests" in quota_id:
            return Measure.REQUESTS_PER_MINUTE
        return Measure.TOKENS_PER_MINUTE if "InputTokens" in quota_id else None
    return Measure.REQUESTS_PER_DAY if "RequestsPerDay" in quota_id else None


def _violations(details: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for detail in details:
        listed = detail.get("violations")
        if isinstance(listed, list):
            yield from (violation for violation in listed if isinstance(violation, Mapping))


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None
