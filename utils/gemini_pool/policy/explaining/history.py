"""What was decided for every request, kept in a ring, so that it can be told and replayed.

``History`` keeps the newest ``records_kept`` requests. ``Record`` is one of them: when it was asked, what it waited
for, its attempts (``Tried``: which key, why that one, within which limits, what came of it) and how it ended. What
always holds: nothing of what was asked or answered is in a record, and no secret: keys are named by label, users not
at all; writing costs the same however much is kept. Telling a record in words is ``explain``'s, writing it down
``recorded``'s. A record belongs to the request that writes it; who reads holds the pool's lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from utils.gemini_pool.policy.latency import Limits
    from utils.gemini_pool.policy.outcome import Outcome

#: A caller's own name for a request is cut to this length.
_LONGEST_NAME = 64


class Choice(NamedTuple):
    """Why a key was taken: its score, how many projects could serve, which key came next, and who could not serve.

    ``dead``, ``ejected``, ``overdue``: keys; ``closed``: projects whose quota was spent.
    """

    score: float
    candidates: int
    next_key: str | None = None
    next_score: float = 0.0
    dead: int = 0
    ejected: int = 0
    overdue: int = 0
    closed: int = 0


class Waited:
    """A time of waiting: for ``obstacle`` (None: between two attempts), from a first to a last place in the line.

    ``at``: the clock's seconds. It ends where the next step of the record begins. Places count from 1; 0: no place.
    """

    __slots__ = ("at", "first_place", "last_place", "obstacle")

    def __init__(self, at: float, obstacle: str | None, place: int) -> None:
        self.at = at
        self.obstacle = obstacle
        self.first_place = self.last_place = place


class Tried:
    """One attempt; ``outcome`` and ``ended_at`` are None while it is under way."""

    __slots__ = ("at", "choice", "ended_at", "key", "limits", "model", "outcome", "probe", "project")

    def __init__(  # noqa: PLR0917  # one is made for every call, and names cost time
        self, at: float, key: str, project: str, model: str, probe: str, limits: Limits, choice: Choice | None
    ) -> None:
        self.at = at
        self.key = key
        self.project = project
        self.model = model
        self.probe = probe
        self.limits = limits
        self.choice = choice
        self.outcome: Outcome | None = None
        self.ended_at: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it is under way."""
        return None if self.ended_at is None else self.ended_at - self.at


class Record:
    """One request: ``asked_at`` in Unix seconds, all other times by the clock.

    ``name``: the caller's own for it, or None. ``ended_at``: None while it is under way. ``why``: None for an answer,
    else an obstacle or the caller's own fault by its value; ``retry_after`` (seconds) is then what the caller was told.
    """

    __slots__ = (
        "_prefix",
        "asked_at",
        "at",
        "deadline_s",
        "ended_at",
        "model",
        "name",
        "number",
        "retry_after",
        "steps",
        "why",
    )
    #: Whether anybody can ask for it.
    is_kept = True

    def __init__(  # noqa: PLR0917  # one is made for every request, and names cost time
        self, prefix: str, number: int, name: str | None, model: str, at: float, asked_at: float, deadline_s: float
    ) -> None:
        self._prefix = prefix
        self.number = number
        self.name = name
        self.model = model
        self.at = at
        self.asked_at = asked_at
        self.deadline_s = deadline_s
        self.steps: list[Waited | Tried] = []
        self.ended_at: float | None = None
        self.why: str | None = None
        self.retry_after: float | None = None

    @property
    def id(self) -> str:
        """What the request is found by."""
        return self.name or f"{self._prefix}{self.number}"

    def wait(self, now: float, obstacle: str | None, place: int = 0) -> None:
        """Note that it waits; waiting on for the same only moves its place."""
        last = self.steps[-1] if self.steps else None
        if isinstance(last, Waited) and last.obstacle == obstacle:
            last.last_place = place
        else:
            self.steps.append(Waited(now, obstacle, place))

    def call(
        self, now: float, key: str, project: str, *, model: str, probe: str, limits: Limits, choice: Choice | None
    ) -> None:
        """Note that an attempt begins."""
        self.steps.append(Tried(now, key, project, model, probe, limits, choice))

    def feed(self, now: float, outcome: Outcome, key: str | None = None) -> None:
        """Note how the attempt under way ended; ``key``: the one of two under way that was made with this key."""
        last = self.steps[-1] if self.steps else None
        if key is not None:
            last = next((one for one in reversed(self.attempts) if one.key == key), last)
        if isinstance(last, Tried):
            last.outcome = outcome
            last.ended_at = now

    def end(self, now: float, why: str | None = None, retry_after: float | None = None) -> None:
        """Note how the request ended; the first word on it stands."""
        if self.ended_at is None:
            self.ended_at = now
            self.why = why
            self.retry_after = retry_after

    @property
    def attempts(self) -> list[Tried]:
        """Its attempts, in order."""
        return [step for step in self.steps if isinstance(step, Tried)]

    def waited(self) -> Iterator[tuple[Waited, float | None]]:
        """Give each time of waiting with its length in seconds, None for one that goes on."""
        ends: list[float | None] = [step.at for step in self.steps[1:]]
        ends.append(self.ended_at)
        for step, end in zip(self.steps, ends, strict=False):
            if isinstance(step, Waited):
                yield step, None if end is None else end - step.at


class Unkept(Record):
    """The record of a request where none is kept: it has an id, and nothing is written into it."""

    __slots__ = ()
    is_kept = False

    def __init__(self, prefix: str, number: int, name: str | None) -> None:
        # what a record says beside its id is never asked for, and making it costs time
        self._prefix = prefix
        self.number = number
        self.name = name

    def wait(self, now: float, obstacle: str | None, place: int = 0) -> None:
        """Note nothing."""

    def call(
        self, now: float, key: str, project: str, *, model: str, probe: str, limits: Limits, choice: Choice | None
    ) -> None:
        """Note nothing."""

    def feed(self, now: float, outcome: Outcome, key: str | None = None) -> None:
        """Note nothing."""

    def end(self, now: float, why: str | None = None, retry_after: float | None = None) -> None:
        """Note nothing."""


class History:
    """The newest records, the oldest first.

    ``kept``: how many. ``born_at``: Unix seconds, by which ids of this process differ from those of one before.
    """

    __slots__ = ("_count", "_named", "_prefix", "_ring", "kept")

    def __init__(self, kept: int, born_at: float) -> None:
        self.kept = kept
        self._ring: deque[Record] = deque(maxlen=kept)
        self._named: dict[str, Record] = {}
        self._prefix = f"{int(born_at):x}-"
        self._count = 0

    def open(self, model: str, *, now: float, wall: float, deadline_s: float, name: str | None = None) -> Record:
        """Begin a record; ``name``: the caller's own id of the request (None: one is made)."""
        self._count += 1
        if name is not None:
            name = name[:_LONGEST_NAME]
        if not self.kept:
            return Unkept(self._prefix, self._count, name)
        record = Record(self._prefix, self._count, name, model, now, wall, deadline_s)
        ring = self._ring
        if len(ring) == self.kept:
            self._forget(ring[0])
        ring.append(record)
        if name:
            self._named[name] = record
        return record

    def _forget(self, oldest: Record) -> None:
        if oldest.name and self._named.get(oldest.name) is oldest:
            del self._named[oldest.name]

    def find(self, id_: str) -> Record | None:
        """Give the newest request of this id, or None when it is not kept (any more)."""
        named = self._named.get(id_[:_LONGEST_NAME])
        if named is not None:
            return named
        return next((record for record in reversed(self._ring) if record.id == id_), None)

    def __iter__(self) -> Iterator[Record]:
        return iter(tuple(self._ring))

    def __len__(self) -> int:
        return len(self._ring)
