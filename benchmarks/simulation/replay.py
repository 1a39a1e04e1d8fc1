"""A recorded day once more, against other constants or other keys.

``replay`` takes requests as ``policy.explaining.recorded`` wrote them (one line of JSON each), lets them arrive
when they did, and answers every call with what the same key came to nearest in time. What always holds: the same
records, constants and seed give the same run; a key that was never recorded answers as the good ones did. A refusal for
quota comes again as one without a limit, since records hold no limits; what the service would have done with calls
that were never made is a guess, so figures compare constants, they do not predict.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.simulation.figures import Recorder
from benchmarks.simulation.scenario import Scenario
from benchmarks.simulation.service import Reply
from benchmarks.simulation.world import Arrival, World
from utils.gemini_pool.policy import Call, Kind, Outcome, PoolConfig
from utils.gemini_pool.policy.explaining.recorded import Recorded, RecordedAttempt
from utils.gemini_pool.policy.outcome import Window

#: What a key came to longer ago than this says nothing of it now.
_NEAR_S = 300.0
_TIMEOUT = Outcome(Kind.TIMEOUT, detail="no answer in time")


@dataclass(slots=True)
class _Timeline:
    """What calls came to, in the order they began."""

    at: list[float] = field(default_factory=list)
    attempts: list[RecordedAttempt] = field(default_factory=list)

    def add(self, at: float, attempt: RecordedAttempt) -> None:
        place = bisect.bisect(self.at, at)
        self.at.insert(place, at)
        self.attempts.insert(place, attempt)

    def nearest(self, now: float, within_s: float) -> RecordedAttempt | None:
        place = bisect.bisect(self.at, now)
        near = [index for index in (place - 1, place) if 0 <= index < len(self.at)]
        best = min(near, key=lambda index: abs(self.at[index] - now), default=None)
        if best is None or abs(self.at[best] - now) > within_s:
            return None
        return self.attempts[best]


class RecordedService:
    """Answers calls with what was recorded."""

    def __init__(self, records: Iterable[Recorded], start: float) -> None:
        self._keys: dict[str, _Timeline] = {}
        self._good = _Timeline()
        for one in records:
            for attempt in one.attempts:
                at = one.asked_at - start + attempt.after_s
                self._keys.setdefault(attempt.key, _Timeline()).add(at, attempt)
                if attempt.kind is Kind.OK:
                    self._good.add(at, attempt)

    @property
    def labels(self) -> list[str]:
        """The labels of all keys that were recorded, in their order."""
        return sorted(self._keys, key=lambda label: (len(label), label))

    def answer(self, call: Call, now: float, *, remaining_s: float, caller_fault: bool) -> Reply:
        """Say what a call that begins now comes to; ``caller_fault``: the request was refused for its own mistake."""
        timeline = self._keys.get(call.lease.key_label, self._good)
        found = timeline.nearest(now, _NEAR_S) or self._good.nearest(now, float("inf"))
        if found is None:
            return Reply(0.0, Outcome(Kind.OK))
        limit = min(call.limits.first_byte_s, remaining_s)
        if caller_fault:
            return Reply(min(found.seconds, limit), Outcome(Kind.CALLER))
        if found.kind is Kind.TIMEOUT or (found.kind is Kind.OK and found.seconds > limit):
            return Reply(limit, _TIMEOUT)
        window = Window.MINUTE if found.kind is Kind.QUOTA else None
        kind = Kind.OK if found.kind in (Kind.CALLER, Kind.CANCELLED) else found.kind
        outcome = Outcome(kind, window=window, input_tokens=found.input_tokens, output_tokens=found.output_tokens)
        return Reply(found.seconds, outcome)

    def equal_waste(self, now: float) -> float:
        """Not known of a recorded day."""
        del now
        return 0.0


def replay(records: Sequence[Recorded], config: PoolConfig, *, keys: int | None = None, seed: int = 0) -> Recorder:
    """Run recorded requests of one model; ``keys``: how many keys there are instead; raises ``ValueError`` for none."""
    if not records:
        raise ValueError("there is nothing to replay: the file holds no record")
    start = min(one.asked_at for one in records)
    service = RecordedService(records, start)
    count = keys or len(service.labels) or 1
    coming = [Arrival(one.asked_at - start, 0, one.end == "invalid", one.deadline_s) for one in records]
    scenario = Scenario(
        name="replay",
        title="a recorded day",
        duration_s=max(arrival.at for arrival in coming),
        projects=tuple(f"project {number + 1}" for number in range(count)),
        loads=(),
        deadline_s=max(one.deadline_s for one in records),
    )
    return World(scenario, config, seed, service=service, coming=coming).run()
