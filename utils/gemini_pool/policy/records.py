"""What is counted: per key and model since the last reset, and what storage has not been told yet.

``Counts`` are running figures. ``Tally`` is those of one (key, model) with what of them was already told; the
``Ledger`` knows which tallies changed and gives the differences as rows. What always holds: ``requests`` are HTTP
requests sent to generate; ``errors`` are those that ended as fault, quota or dead key, never the caller's own and never
cancelled ones. Counting costs one addition: a row gets the minute in which it is drained, so its time is right to the
second at which whoever stores it comes by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from utils.gemini_pool.policy.outcome import COUNTED_AS_ERROR, Kind, Outcome

_MINUTE_S = 60
_OK = Kind.OK


@dataclass(slots=True)
class Counts:
    """Figures of one (key, model); ``seconds`` sums the time of the ``timed`` requests that were answered."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0
    timed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    #: How calls ended, by kind; answered ones are counted by ``timed`` alone.
    others: Counter[str] = field(default_factory=Counter)

    def add_end(self, outcome: Outcome, seconds: float) -> None:
        """Count how one call ended; its requests are counted apart, at the start."""
        self.input_tokens += outcome.input_tokens
        self.output_tokens += outcome.output_tokens
        if outcome.kind is _OK:
            self.seconds += seconds
            self.timed += 1
        else:
            self.others[outcome.kind.value] += 1
            self.errors += outcome.kind in COUNTED_AS_ERROR

    def add(self, other: Counts, sign: int = 1) -> None:
        """Add another's figures, or take them off."""
        self.requests += sign * other.requests
        self.errors += sign * other.errors
        self.seconds += sign * other.seconds
        self.timed += sign * other.timed
        self.input_tokens += sign * other.input_tokens
        self.output_tokens += sign * other.output_tokens
        for kind, count in other.others.items():
            self.others[kind] += sign * count

    def clear(self) -> None:
        """Start at 0 again, in place: whoever holds these figures sees it."""
        self.requests = self.errors = self.timed = self.input_tokens = self.output_tokens = 0
        self.seconds = 0.0
        self.others.clear()

    @property
    def kinds(self) -> dict[str, int]:
        """How calls ended, by kind; a kind that did not occur is left out."""
        told = {kind: count for kind, count in self.others.items() if count}
        return {_OK.value: self.timed, **told} if self.timed else told

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


class Tally(Counts):
    """The running figures of one (key, model), and what of them the ledger has given out."""

    __slots__ = ("changed", "fingerprint", "model", "told")

    def __init__(self, fingerprint: str, model: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self.model = model
        self.told = Counts()
        #: Whether the ledger has this tally on its list.
        self.changed = False

    def load(self, counts: Counts) -> None:
        """Add figures that storage knows already."""
        self.add(counts)
        self.told.add(counts)

    def row(self, minute: int) -> StatisticsRow:
        """Give what was not told yet, and count it as told."""
        news = Counts()
        news.add(self)
        news.add(self.told, -1)
        self.told = Counts()
        self.told.add(self)
        return StatisticsRow(
            self.fingerprint,
            self.model,
            minute,
            news.requests,
            news.errors,
            news.seconds,
            news.timed,
            news.input_tokens,
            news.output_tokens,
            news.kinds,
        )


class Ledger:
    """Knows what has changed since it was last drained; ``changed`` lists the tallies that did."""

    __slots__ = ("_rows", "_tallies", "_wall", "changed")

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._rows: list[StatisticsRow] = []
        self.changed: list[Tally] = []

    def of(self, fingerprint: str, model: str) -> Tally:
        """Give the tally of a (key, model), made when first asked for."""
        tally = self._tallies.get((fingerprint, model))
        if tally is None:
            tally = self._tallies[fingerprint, model] = Tally(fingerprint, model)
        return tally

    def note(self, tally: Tally) -> None:
        """Remember that a tally changed."""
        if not tally.changed:
            tally.changed = True
            self.changed.append(tally)

    def drain(self) -> list[StatisticsRow]:
        """Take out all that was gathered."""
        self._gather()
        rows, self._rows = self._rows, []
        return rows

    def put_back(self, rows: list[StatisticsRow]) -> None:
        """Return rows that could not be stored, so that the next drain has them again."""
        self._rows[:0] = rows

    def clear(self) -> None:
        """Start all running figures at 0; what was not told before stays to be drained."""
        self._gather()
        for tally in self._tallies.values():
            tally.clear()
            tally.told.clear()

    def _gather(self) -> None:
        changed = self.changed[:]
        self.changed.clear()
        minute = int(self._wall()) // _MINUTE_S * _MINUTE_S
        for tally in changed:
            tally.changed = False
            self._rows.append(tally.row(minute))
