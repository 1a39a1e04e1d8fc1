"""The calls of one pool that are under way, and those of them that take longer than usual.

``Flights`` keeps calls in the order they began. What always holds: nothing is looked through but calls that have just
become late; a call that has begun to answer is never found late; a call is late until it has ended. ``noted`` is
read where a call costs too much (``pools``). What a late call means for its lane is ``standing``'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from utils.gemini_pool.policy.leases import Lease


class Flights:
    """Calls under way.

    ``line``: in the order they began, but for those that ended and stood at the front when they did, and for those that
    were found late. ``noted``: those that are late (True), or that have begun to answer (False).
    """

    __slots__ = ("line", "noted")

    def __init__(self) -> None:
        self.line: deque[Lease] = deque()
        self.noted: dict[Lease, bool] = {}

    def hear(self, lease: Lease) -> None:
        """Know that a call under way has begun to answer: from now on it may take as long as it likes."""
        if not lease.released:
            self.noted.setdefault(lease, False)

    def become_late(self, began_until: float) -> Iterator[Lease]:
        """Give the calls that are late from now on: those begun until then of which nothing was heard."""
        line = self.line
        while line and line[0].started_at <= began_until:
            lease = line.popleft()
            if not lease.released and lease not in self.noted:
                self.noted[lease] = True
                yield lease

    def end(self, lease: Lease) -> bool:
        """Forget a call that has ended; answers whether it was late."""
        return self.noted.pop(lease, False)
