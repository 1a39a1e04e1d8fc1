"""What is still to happen in a run, in the order of its times.

``Agenda`` keeps events in sheets of ``SHEET_S`` seconds each; only the sheet of now is a heap, and the others are lists
that are made heaps when their time comes. What always holds: events are taken in the order of their times, and those of
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
    """The events of one run; ``now``: the events of the present sheet and of those before it, as a heap."""

    __slots__ = ("_entered", "_page", "_pages", "_sheets", "now")

    def __init__(self) -> None:
        self.now: list[Event] = []
        self._page = -1
        self._sheets: dict[int, list[Event]] = {}
        self._pages: list[int] = []
        self._entered = itertools.count()

    def enter(self, at: float, action: Callable[..., None], *about: object) -> None:
        """Have ``action(*about)`` done at ``at`` (seconds since the start, 0 or more, finite)."""
        page = int(at / SHEET_S)
        event = (at, next(self._entered), action, about)
        if page <= self._page:
            heapq.heappush(self.now, event)
            return
        sheet = self._sheets.get(page)
        if sheet is None:
            self._sheets[page] = [event]
            heapq.heappush(self._pages, page)
        else:
            sheet.append(event)

    def next_at(self) -> float:
        """When the next event is due; infinite when there is none."""
        if not self.now:
            if not self._pages:
                return math.inf
            self._page = heapq.heappop(self._pages)
            self.now = self._sheets.pop(self._page)
            heapq.heapify(self.now)
        return self.now[0][0]

    def take(self) -> Event:
        """Take out the next event, for which ``next_at`` has just been asked."""
        return heapq.heappop(self.now)
