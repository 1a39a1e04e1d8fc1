"""A project's quota as a JSON-ready document, and back: what a restart must not forget.

Closures, learned limits with their shares, the requests of this day and of the last minute and hour. What always holds:
times leave as Unix seconds and come back on the clock of the new process; what is over is not written; a field of
another shape is read as if it were not there, so that a store of another version never stops the pool.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.quota.closures import Closed, Closure
from utils.gemini_pool.policy.quota.limits import OwnLimit
from utils.gemini_pool.policy.quota.texts import Measure

#: Places after the point of a time: a start must not seem earlier than it was by more than the margin bears.
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What is kept; times are the clock's seconds, ``tokens`` are (start, input tokens)."""

    closure: Closure
    limits: dict[Measure, OwnLimit] = field(default_factory=dict)
    margin_s: float = 0.0
    unexplained: bool = False
    starts: list[float] = field(default_factory=list)
    hour: list[float] = field(default_factory=list)
    tokens: list[tuple[float, int]] = field(default_factory=list)
    today: int = 0
    day_ends: float = 0.0


def write(facts: Facts, shift: float, now: float) -> dict[str, object] | None:
    """Give the document, or None when there is nothing to remember."""
    document: dict[str, object] = {}
    closure = facts.closure
    if closure.why is not None and closure.is_closed(now):
        document["closed"] = {
            "why": closure.why.value,
            "until": closure.until + shift,
            "probe_at": max(now, closure.probe_at) + shift,
        }
    limits = {measure.value: _limit(own, shift) for measure, own in facts.limits.items() if own.learned_until > now}
    if limits:
        document["limits"] = limits
    if facts.unexplained:
        document["unexplained"] = True
    if facts.today:
        document["day"] = {"requests": facts.today, "ends": facts.day_ends + shift}
    for name, times in (("starts", facts.starts), ("hour", facts.hour)):
        if times:
            document[name] = [round(at + shift, _DIGITS) for at in times]
    if facts.tokens:
        document["tokens"] = [[round(at + shift, _DIGITS), tokens] for at, tokens in facts.tokens]
    if document:
        document["margin_s"] = facts.margin_s
    return document or None


def _limit(own: OwnLimit, shift: float) -> dict[str, object]:
    entry: dict[str, object] = {"value": own.learned, "until": own.learned_until + shift}
    if own.share:
        entry |= {"share": own.share, "share_at": own.share_at + shift}
    return entry


def read(document: Mapping[str, object], shift: float, now: float, config: PoolConfig) -> Facts:
    """Read a document of any shape."""
    closure = Closure(config)
    closed = _mapping(document.get("closed"))
    why = closed.get("why")
    if isinstance(why, str) and why in set(Closed):
        closure.restore(Closed(why), _number(closed, "until") - shift, _number(closed, "probe_at") - shift)
        _trust_only_what_can_be(closure, now, config)
    day = _mapping(document.get("day"))
    return Facts(
        closure=closure,
        limits=_limits(_mapping(document.get("limits")), shift, now + config.believe_limit_s),
        margin_s=_number(document, "margin_s"),
        unexplained=document.get("unexplained") is True,
        starts=_times(document.get("starts"), shift, now - config.minute_s - config.margin_cap_s, now),
        hour=_times(document.get("hour"), shift, now - config.minute_s * 60.0, now) if config.own_per_hour else [],
        tokens=_tokens(document.get("tokens"), shift, now),
        today=max(0, int(_number(day, "requests"))),
        day_ends=_number(day, "ends") - shift,
    )


def _trust_only_what_can_be(closure: Closure, now: float, config: PoolConfig) -> None:
    """Bound a closure by the longest there is: a wall clock that was set back must not close a project for a year."""
    closure.until = min(closure.until, now + max(config.closed_probe_s, 90_000.0))
    closure.probe_at = min(closure.probe_at, closure.until)


def _limits(listed: Mapping[str, object], shift: float, latest: float) -> dict[Measure, OwnLimit]:
    limits = {}
    for measure in Measure:
        entry = _mapping(listed.get(measure.value))
        value = int(_number(entry, "value"))
        if value <= 0:
            continue
        own = OwnLimit()
        own.learn(value, min(_number(entry, "until") - shift, latest))
        share = int(_number(entry, "share"))
        if 0 < share < value:
            own.share, own.share_at = share, min(_number(entry, "share_at") - shift, latest)
        limits[measure] = own
    return limits


def _times(listed: object, shift: float, after: float, now: float) -> list[float]:
    if not isinstance(listed, list):
        return []
    times = (min(at - shift, now) for at in listed if _is_number(at))
    return sorted(at for at in times if at > after)


def _tokens(listed: object, shift: float, now: float) -> list[tuple[float, int]]:
    if not isinstance(listed, list):
        return []
    pairs = (pair for pair in listed if isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)))
    return sorted((min(pair[0] - shift, now), int(pair[1])) for pair in pairs if pair[1] > 0)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _number(document: Mapping[str, object], name: str) -> float:
    value = document.get(name)
    return float(value) if isinstance(value, (int, float)) and _is_number(value) else 0.0
