"""When the places of one (project, model) come free, one after another, as far as its quota is known.

``free_times`` plays the windows forward: every time it gives is taken as the start of one more call, so that a line of
waiting requests can be told who goes when. What always holds: times never go back, they have no end, and with nothing
else sent each of them would be allowed. It reads the lines of starts while it is used, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from utils.gemini_pool.policy.quota.windows import RequestWindow, TokenWindow

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class DayPlaces:
    """Requests left of the Pacific day that ends at ``ends`` (the clock's seconds), and of every day after it."""

    left: int
    limit: int
    ends: float


@dataclass(frozen=True, slots=True)
class TokenPlaces:
    """Tokens of a window against their limit."""

    window: TokenWindow
    limit: int
    length_s: float


@dataclass(frozen=True, slots=True)
class Known:
    """What restrains a project: ``firm`` windows, presumed ones beyond which calls go ``pause_s`` apart, and more.

    ``single``: calls go ``pause_s`` apart whatever the windows say.
    """

    firm: Sequence[RequestWindow]
    presumed: Sequence[RequestWindow]
    pause_s: float
    single: bool = False
    day: DayPlaces | None = None
    tokens: TokenPlaces | None = None


def free_times(opens_at: float, known: Known) -> Iterator[float]:
    """Give the times at which one more call may begin, soonest first; none is before ``opens_at``."""
    begun: list[float] = []
    tokens = _Tokens(known.tokens) if known.tokens else None
    at = opens_at
    while True:
        last = begun[-1] if begun else None
        for window in known.firm:
            at = max(at, _place(window, begun))
        for window in known.presumed:
            at = max(at, _place(window, begun) if last is None else min(_place(window, begun), last + known.pause_s))
        if known.single and last is not None:
            at = max(at, last + known.pause_s)
        if known.day:
            at = max(at, _day_place(known.day, len(begun)))
        if tokens:
            at = max(at, tokens.next(begun))
        begun.append(at)
        yield at


def _place(window: RequestWindow, begun: Sequence[float]) -> float:
    """When the next start keeps within a window, after those that were given out."""
    starts = window.starts
    index = len(starts) + len(begun) - window.limit
    if index < 0:
        return float("-inf")
    return (starts[index] if index < len(starts) else begun[index - len(starts)]) + window.length_s


def _day_place(day: DayPlaces, count: int) -> float:
    if count < day.left:
        return float("-inf")
    return day.ends + _DAY_S * ((count - day.left) // day.limit)


class _Tokens:
    """Plays a window of tokens forward; every call given out brings what is expected of one."""

    def __init__(self, places: TokenPlaces) -> None:
        window = places.window
        self._lines = list(window.entries)
        self._expected = window.expected
        self._limit = places.limit
        self._length_s = places.length_s
        self._used = float(window.used)
        self._gone = 0

    def next(self, begun: Sequence[float]) -> float:
        """When the next call's tokens keep within the limit."""
        if begun:
            self._lines.append((begun[-1], round(self._expected)))
            self._used += self._expected
        at = float("-inf")
        while self._gone < len(self._lines) and self._used + self._expected > self._limit:
            started_at, tokens = self._lines[self._gone]
            self._gone += 1
            self._used -= tokens
            at = started_at + self._length_s
        return at
