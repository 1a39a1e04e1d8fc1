"""What is counted: per key and model since the last reset, and what storage has not been told yet.

``Counts`` are running figures. ``Ledger`` gathers differences by minute until somebody drains them into a database.
What always holds: ``requests`` are HTTP requests sent to generate; ``errors`` are those that ended as fault, quota or
dead key, never the caller's own and never cancelled ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from utils.gemini_pool.policy.outcome import COUNTED_AS_ERROR, Kind, Outcome

_MINUTE_S = 60


@dataclass(slots=True)
class Counts:
    """Figures of one (key, model); ``seconds`` sums the time of the ``timed`` requests that were answered."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0
    timed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add_end(self, outcome: Outcome, seconds: float) -> None:
        """Count how one call ended; its requests are counted apart, at the start."""
        self.kinds[outcome.kind.value] += 1
        self.errors += outcome.kind in COUNTED_AS_ERROR
        self.input_tokens += outcome.input_tokens
        self.output_tokens += outcome.output_tokens
        if outcome.kind is Kind.OK:
            self.seconds += seconds
            self.timed += 1

    def add(self, other: Counts) -> None:
        """Add another's figures."""
        self.requests += other.requests
        self.errors += other.errors
        self.seconds += other.seconds
        self.timed += other.timed
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.kinds.update(other.kinds)

    def clear(self) -> None:
        """Start at 0 again, in place: whoever holds these figures sees it."""
        self.requests = self.errors = self.timed = self.input_tokens = self.output_tokens = 0
        self.seconds = 0.0
        self.kinds.clear()

    @property
    def error_rate(self) -> float:
        """Errors / requests, 0 when unused."""
        return self.errors / self.requests if self.requests else 0.0

    @property
    def mean_seconds(self) -> float:
        """Mean time of an answered request in seconds, 0 when none was answered."""
        return self.seconds / self.timed if self.timed else 0.0


@dataclass(frozen=True, slots=True)
class StatisticsRow:
    """The differences of one (key, model, minute), as storage takes them; ``minute`` in Unix seconds."""

    fingerprint: str
    model: str
    minute: int
    requests: int
    errors: int
    seconds: float
    timed: int
    input_tokens: int
    output_tokens: int
    kinds: Mapping[str, int]


class Ledger:
    """Gathers counts by key, model and minute until they are drained."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending: dict[tuple[str, str, int], Counts] = {}

    def at(self, fingerprint: str, model: str, wall: float) -> Counts:
        """Give the counts of this minute, to be added to."""
        minute = int(wall // _MINUTE_S) * _MINUTE_S
        return self._pending.setdefault((fingerprint, model, minute), Counts())

    def drain(self) -> list[StatisticsRow]:
        """Take out all that was gathered."""
        pending, self._pending = self._pending, {}
        return [_row(key, counts) for key, counts in pending.items()]

    def put_back(self, rows: list[StatisticsRow]) -> None:
        """Return rows that could not be stored, so that the next drain has them again."""
        for row in rows:
            counts = self._pending.setdefault((row.fingerprint, row.model, row.minute), Counts())
            counts.add(
                Counts(
                    row.requests,
                    row.errors,
                    row.seconds,
                    row.timed,
                    row.input_tokens,
                    row.output_tokens,
                    Counter(row.kinds),
                )
            )


def _row(key: tuple[str, str, int], counts: Counts) -> StatisticsRow:
    fingerprint, model, minute = key
    return StatisticsRow(
        fingerprint,
        model,
        minute,
        counts.requests,
        counts.errors,
        counts.seconds,
        counts.timed,
        counts.input_tokens,
        counts.output_tokens,
        dict(counts.kinds),
    )
