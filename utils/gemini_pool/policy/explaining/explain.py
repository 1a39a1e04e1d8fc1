"""A request's way through the pool, told in plain sentences.

``tell`` turns a ``history.Record`` into ``Sentence``s: an id and its values, so that another language can say the same;
``explain`` says it in English. What always holds: nothing is said but what the record holds, so no word of a question
and no secret; what the service said of a caller's own mistake is left out, since it may quote the question; a request
that is still under way is told as far as it has come.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from utils.gemini_pool.policy.explaining.history import Choice, Record, Tried, Waited
from utils.gemini_pool.policy.outcome import Kind, Outcome

#: Every sentence by its id; the words in braces are the values it is given.
ENGLISH: Mapping[str, str] = {
    "asked": "{model} was asked at {at} UTC, with {deadline_s:.0f} s for an answer (request {id}).",
    "waited.backoff": "It waited {seconds:.1f} s before the next try.",
    "waited.quota": "It waited {seconds:.1f} s because every project was at a limit.",
    "waited.overloaded": "It waited {seconds:.1f} s because the model was overloaded for everybody.",
    "waited.faults": "It waited {seconds:.1f} s because every key that could serve had been failing.",
    "waited.other": "It waited {seconds:.1f} s ({why}).",
    "waiting": "It is waiting now ({why}).",
    "line": "In the line it stood at place {first}, and last at place {last}.",
    "chosen": "Attempt {number} went to {key} of {project}.",
    "chosen.best": "Attempt {number} went to {key} of {project}: score {score:.3g}, the best of {count} projects.",
    "chosen.fresh": "Attempt {number} went to {key} of {project}: score {score:.3g}, the best neither tried nor busy.",
    "chosen.alone": "Attempt {number} went to {key} of {project}: score {score:.3g}, and nothing else could serve.",
    "chosen.next": "Next would have come {key} with {score:.3g}.",
    "fallback": "It asked {model} instead, as the caller's list allows.",
    "passed_over.dead": "Dead keys: {count}.",
    "passed_over.ejected": "Keys left out for failing: {count}.",
    "passed_over.overdue": "Keys passed over because a call takes too long: {count}.",
    "passed_over.closed": "Projects closed because their quota is spent: {count}.",
    "probe.gate": "It was a probe: the key had been failing, and one request finds out whether it is well again.",
    "probe.quota": "It was a probe: the project had been closed for long, and one request finds out if it is open.",
    "probe.model": "It was a probe: the model was overloaded, and one request finds out whether it answers again.",
    "first_byte": "It had {first_s:.1f} s for the first byte.",
    "first_byte.inside": "It was asked for in pieces, with {first_s:.1f} s for the first; whole answers take long.",
    "attempt.under_way": "It is under way.",
    "attempt.ok": "It answered after {seconds:.1f} s: {input} tokens in, {output} out.",
    "attempt.quota": "It was refused after {seconds:.1f} s by a quota ({detail}), so another project came next.",
    "attempt.no_quota": "It was refused after {seconds:.1f} s: {detail}.",
    "attempt.key_dead": "It was refused after {seconds:.1f} s for good: the key is dead ({detail}).",
    "attempt.overloaded": "After {seconds:.1f} s the service said that the model is overloaded.",
    "attempt.timeout": "It was given up after {seconds:.1f} s without an answer.",
    "attempt.fault": "It failed after {seconds:.1f} s ({detail}).",
    "attempt.caller": "After {seconds:.1f} s the service refused the request itself.",
    "attempt.cancelled": "It was cancelled after {seconds:.1f} s.",
    "answered": "Answered {seconds:.1f} s after it was asked.",
    "left": "The caller left {seconds:.1f} s after asking.",
    "refused": "Refused {seconds:.1f} s after it was asked: {why}.",
    "refused.later": "Refused {seconds:.1f} s after it was asked: {why}; a later try made sense after {after_s:.0f} s.",
}

#: What stood in the way, in the middle of a sentence.
_WHY: Mapping[str, str] = {
    "all_dead": "every key is dead",
    "quota": "every project is at a limit",
    "overloaded": "the model is overloaded",
    "faults": "the attempts failed",
    "deadline": "the time ran out",
    "line_full": "too many are waiting",
    "invalid": "the service refused the request as it stands",
    "unknown_model": "there is no such model",
    "too_large": "the request is too large",
    "blocked": "a safety rule stopped it",
    "location": "the service does not serve this place",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: its id in ``ENGLISH``, and what is filled in."""

    id: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence in English."""
        return ENGLISH[self.id].format(**self.values)


def explain(record: Record) -> list[str]:
    """Tell a request's way in English, a sentence each."""
    return [sentence.text for sentence in tell(record)]


def tell(record: Record) -> list[Sentence]:
    """Tell a request's way, in order."""
    asked = dt.datetime.fromtimestamp(record.asked_at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    start = {"id": record.id, "model": record.model, "at": asked, "deadline_s": record.deadline_s}
    return [Sentence("asked", start), *_steps(record), *_end(record)]


def _steps(record: Record) -> Iterator[Sentence]:
    lengths = dict(record.waited())
    number = 0
    for step in record.steps:
        if isinstance(step, Waited):
            yield from _waited(step, lengths[step])
        else:
            number += 1
            yield from _tried(step, number, record.model)


def _waited(step: Waited, seconds: float | None) -> Iterator[Sentence]:
    why = _WHY.get(step.obstacle or "", "before the next try")
    if seconds is None:
        yield Sentence("waiting", {"why": why})
    else:
        id_ = f"waited.{step.obstacle or 'backoff'}"
        yield Sentence(id_ if id_ in ENGLISH else "waited.other", {"seconds": seconds, "why": why})
    if step.first_place:
        yield Sentence("line", {"first": step.first_place, "last": step.last_place})


def _tried(step: Tried, number: int, model: str) -> Iterator[Sentence]:
    yield from _chosen(step, number)
    if step.model != model:
        yield Sentence("fallback", {"model": step.model})
    if f"probe.{step.probe}" in ENGLISH:
        yield Sentence(f"probe.{step.probe}")
    yield Sentence(
        "first_byte.inside" if step.limits.stream_inside else "first_byte", {"first_s": step.limits.first_byte_s}
    )
    if step.outcome is None or step.seconds is None:
        yield Sentence("attempt.under_way")
    else:
        yield _outcome(step.outcome, step.seconds)


def _chosen(step: Tried, number: int) -> Iterator[Sentence]:
    values: dict[str, object] = {"number": number, "key": step.key, "project": step.project}
    choice = step.choice
    if choice is None:
        yield Sentence("chosen", values)
        return
    values |= {"score": choice.score, "count": choice.candidates}
    yield Sentence(_kind_of(choice), values)
    if choice.next_key is not None:
        yield Sentence("chosen.next", {"key": choice.next_key, "score": choice.next_score})
    for state in ("dead", "ejected", "overdue", "closed"):
        if count := getattr(choice, state):
            yield Sentence(f"passed_over.{state}", {"count": count})


def _kind_of(choice: Choice) -> str:
    if choice.candidates <= 1:
        return "chosen.alone"
    return "chosen.best" if choice.next_score <= choice.score else "chosen.fresh"


def _outcome(outcome: Outcome, seconds: float) -> Sentence:
    values: dict[str, object] = {"seconds": seconds}
    if outcome.kind is Kind.OK:
        values |= {"input": outcome.input_tokens, "output": outcome.output_tokens}
    elif outcome.kind is not Kind.CALLER:
        values["detail"] = outcome.detail or "no more is known"
    return Sentence(f"attempt.{outcome.kind.value}", values)


def _end(record: Record) -> Iterator[Sentence]:
    if record.ended_at is None:
        return
    values: dict[str, object] = {"seconds": record.ended_at - record.at}
    if record.why is None:
        yield Sentence("answered", values)
        return
    if record.why == "cancelled":
        yield Sentence("left", values)
        return
    values["why"] = _WHY.get(record.why, record.why)
    if record.retry_after is None:
        yield Sentence("refused", values)
    else:
        yield Sentence("refused.later", {**values, "after_s": record.retry_after})
