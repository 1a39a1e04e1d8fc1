"""What a project has sent in the last minute and hour, counted so that a question costs the same at any limit.

A window of requests is the line of their starts, oldest first: there is room for one more when the start that lies
``limit`` places back is older than the window. ``RequestWindow`` is such a question; ``TokenWindow`` keeps input
tokens, which are known only when a call has ended, and what a call is expected to bring. What always holds: lines are
in the order of time and counts are never below 0. Which limits hold is ``limits``'s business.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

#: The weight of the latest call in what the next is expected to bring.
_LATEST_SHARE = 0.125
NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class RequestWindow:
    """At most ``limit`` of ``starts`` in any ``length_s`` seconds."""

    starts: deque[float]
    limit: int
    length_s: float

    def free_at(self) -> float:
        """When one more may start (the clock's seconds; long ago when there is room)."""
        starts, limit = self.starts, self.limit
        count = len(starts)
        return starts[count - limit] + self.length_s if count >= limit else NEVER


def count_since(starts: deque[float], after: float) -> int:
    """How many of the starts lie after a time."""
    count = 0
    for start in reversed(starts):
        if start <= after:
            break
        count += 1
    return count


def give_back(starts: deque[float], started_at: float) -> bool:
    """Take one start out again; False when it is not there, or no longer."""
    for place in range(len(starts) - 1, -1, -1):
        if starts[place] == started_at:
            del starts[place]
            return True
        if starts[place] < started_at:
            return False
    return False


def drop_before(starts: deque[float], horizon: float) -> int:
    """Forget starts at or before a time; answers how many."""
    count = 0
    while starts and starts[0] <= horizon:
        starts.popleft()
        count += 1
    return count


def merge(first: deque[float], second: deque[float]) -> None:
    """Take the second line's starts into the first."""
    both = sorted([*first, *second])
    first.clear()
    first.extend(both)


class TokenWindow:
    """Input tokens of calls that have ended, by the time of their start."""

    __slots__ = ("entries", "expected", "used")

    def __init__(self) -> None:
        self.entries: deque[tuple[float, int]] = deque()
        self.used = 0
        #: Input tokens that a call is expected to bring; 0 while none is known.
        self.expected = 0.0

    def add(self, started_at: float, tokens: int, length_s: float) -> None:
        """Count the tokens of a call that has ended."""
        expected = self.expected
        self.expected = expected + (tokens - expected) * _LATEST_SHARE if expected else float(tokens)
        entries = self.entries
        if not entries or entries[-1][0] <= started_at:
            entries.append((started_at, tokens))
            self.used += tokens
        else:
            self._insert(started_at, tokens)
        while entries[0][0] + length_s <= started_at:
            self.used -= entries.popleft()[1]

    def add_expected(self, started_at: float) -> None:
        """Count a call whose tokens nobody told, such as a cancelled one: the service has counted them."""
        if self.expected:
            self._insert(started_at, round(self.expected))

    def forget(self, now: float, length_s: float) -> None:
        """Forget calls that have left the window."""
        entries = self.entries
        while entries and entries[0][0] + length_s <= now:
            self.used -= entries.popleft()[1]

    def after(self, in_flight: int) -> float:
        """Give the tokens in the window once all calls in flight and one more have brought what is expected."""
        return self.used + self.expected * (in_flight + 1)

    def has_room(self, limit: int, in_flight: int) -> bool:
        """Whether one more call is expected to keep within the limit; the first alone always may."""
        if not self.expected:
            return not in_flight and self.used < limit
        return self.after(in_flight) <= limit or (not in_flight and not self.used)

    def free_at(self, limit: int, length_s: float, in_flight: int) -> float:
        """When one more call is expected to keep within the limit; infinite when that takes the end of another."""
        if self.has_room(limit, in_flight):
            return NEVER
        if not self.expected:
            return float("inf")
        excess = self.after(in_flight) - limit
        for at, tokens in self.entries:
            excess -= tokens
            if excess <= 0:
                return at + length_s
        return float("inf") if in_flight else self.entries[-1][0] + length_s

    def absorb(self, other: TokenWindow) -> None:
        """Take in the calls of another part of the same project."""
        both = sorted([*self.entries, *other.entries])
        self.entries.clear()
        self.entries.extend(both)
        self.used += other.used
        self.expected = max(self.expected, other.expected)

    def _insert(self, started_at: float, tokens: int) -> None:
        entries = self.entries
        place = len(entries)
        while place and entries[place - 1][0] > started_at:
            place -= 1
        entries.insert(place, (started_at, tokens))
        self.used += tokens
