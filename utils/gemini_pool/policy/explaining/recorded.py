"""Records as frozen facts and as lines of JSON, to be kept outside the process and replayed by the simulator.

``recorded`` makes a ``Recorded`` of a request: when it was asked, how long it had, what its attempts came to and how it
ended. ``to_lines`` writes one line for each, ``from_lines`` reads them back. What always holds: a line holds only what
the record does (labels, kinds, seconds, counts; no text of anybody); reading refuses what it does not understand by
naming the line.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from utils.gemini_pool.policy.explaining.history import Record, Tried
from utils.gemini_pool.policy.outcome import Kind, Outcome

#: Milliseconds are exact enough to replay a day.
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class RecordedAttempt:
    """What one attempt came to: ``after_s`` from the asking to its start, ``seconds`` until its end."""

    key: str
    after_s: float
    kind: Kind
    seconds: float
    requests: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it was: ``asked_at`` in Unix seconds; ``end`` is ``answered`` or what stood in the way."""

    id: str
    model: str
    asked_at: float
    deadline_s: float
    waited_s: float
    attempts: tuple[RecordedAttempt, ...]
    end: str
    seconds: float


def recorded(record: Record) -> Recorded:
    """Give the facts of a request, as far as it has come; ``end`` is empty while it is under way."""
    ended_at = record.ended_at
    return Recorded(
        id=record.id,
        model=record.model,
        asked_at=record.asked_at,
        deadline_s=record.deadline_s,
        waited_s=round(sum(seconds or 0.0 for _, seconds in record.waited()), _DIGITS),
        attempts=tuple(_attempt(step, step.outcome, record.at) for step in record.attempts if step.outcome is not None),
        end="" if ended_at is None else record.why or "answered",
        seconds=0.0 if ended_at is None else round(ended_at - record.at, _DIGITS),
    )


def to_lines(records: Iterable[Recorded]) -> Iterator[str]:
    """Write every request that has ended as one line of JSON without a line break; the others are left out."""
    for one in records:
        if one.end:
            yield json.dumps(dataclasses.asdict(one), separators=(",", ":"))


def from_lines(lines: Iterable[str]) -> Iterator[Recorded]:
    """Read lines written by ``to_lines``; empty ones are passed over; raises ``ValueError`` naming a bad line."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _recorded(json.loads(line))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"line {number} is no record of a request: {type(error).__name__}") from None


def _attempt(step: Tried, outcome: Outcome, asked: float) -> RecordedAttempt:
    return RecordedAttempt(
        key=step.key,
        after_s=round(step.at - asked, _DIGITS),
        kind=outcome.kind,
        seconds=round(step.seconds or 0.0, _DIGITS),
        requests=outcome.requests,
        input_tokens=outcome.input_tokens,
        output_tokens=outcome.output_tokens,
    )


def _recorded(document: Mapping[str, Any]) -> Recorded:
    return Recorded(
        id=str(document["id"]),
        model=str(document["model"]),
        asked_at=float(document["asked_at"]),
        deadline_s=float(document["deadline_s"]),
        waited_s=float(document["waited_s"]),
        attempts=tuple(_recorded_attempt(one) for one in document["attempts"]),
        end=str(document["end"]),
        seconds=float(document["seconds"]),
    )


def _recorded_attempt(document: Mapping[str, Any]) -> RecordedAttempt:
    return RecordedAttempt(
        key=str(document["key"]),
        after_s=float(document["after_s"]),
        kind=Kind(document["kind"]),
        seconds=float(document["seconds"]),
        requests=int(document["requests"]),
        input_tokens=int(document["input_tokens"]),
        output_tokens=int(document["output_tokens"]),
    )
