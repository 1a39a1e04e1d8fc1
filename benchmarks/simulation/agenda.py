"""What is still to happen in a run, in the order of its times.

``Agenda`` keeps events in sheets of ``SHEET_S`` seconds each; only the sheet of now is in order, and the others are put
in order when their time comes. What always holds: events are taken in the order of their times, and those of
one time in the order they were entered, whatever sheet they were on; an event may be entered at any time, also before
the latest that was taken. One heap of all events costs three times as much with ten thousand keys, since a thousand
calls are under way and every comparison touches another place in memory.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable

#: With 500 calls a second some twenty events are on a sheet.
SHEET_S = 0.05

#: When, which in the order of entry, what to do, and with what.
Event = tuple[float, int, Callable[..., None], tuple[object, ...]]


class Agenda:
    """The events of one run."""

    __slots__ = ("_entered", "_now", "_page", "_pages", "_sheets")

    def __init__(self) -> None:
        #: The events of the present sheet; the next is the last.
        self._now: list[Event] = []
        self._page = -1
        self._sheets: dict[int, list[Event]] = {}
        self._pages: list[int] = []
        self._entered = itertools.count()

    def enter(self, at: float, action: Callable[..., None], *about: object) -> None:
        """Have ``action(*about)`` done at ``at`` (seconds since the start, 0 or more, finite)."""
        page = int(at / SHEET_S)
        event = (at, next(self._entered), action, about)
        if page == self._page:
            # few are entered so late, and what is in order but for its end is soon put in order
            self._now.append(event)
            self._now.sort(reverse=True)
            return
        if page < self._page:
            self._lay_back()
        sheet = self._sheets.get(page)
        if sheet is None:
            self._sheets[page] = [event]
            heapq.heappush(self._pages, page)
        else:
            sheet.append(event)

    def _lay_back(self) -> None:
        """Close the sheet of now: it was opened ahead of its time, and something comes before it."""
        if self._now:
            self._sheets[self._page] = self._now
            heapq.heappush(self._pages, self._page)
        self._now, self._page = [], -1

    def next_at(self) -> float:
        """When the next event is due; infinite when there is none."""
        if not self._now:
            if not self._pages:
                return math.inf
            self._page = heapq.heappop(self._pages)
            self._now = self._sheets.pop(self._page)
            self._now.sort(reverse=True)
        return self._now[-1][0]

    def take(self) -> Event:
        """Take out the next event, for which ``next_at`` has just been asked."""
        return self._now.pop()
