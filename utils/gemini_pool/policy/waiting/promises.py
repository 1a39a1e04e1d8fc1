"""What those who wait were promised when they were taken in: to be let go before it is too late for an answer.

``Promises`` keeps tickets in the order in which they are due, each with the number of the grant by which it must have
gone: as many places come free before it is due as were counted when it joined. ``slack`` says how many others may still
go out of this order before somebody would come too late. What always holds: the slack that is acted upon is never
more than the true one; counting it anew looks at everybody, but only when it has run out and somebody left or came in
between. Who goes while there is slack is ``line``'s.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Generic, TypeVar

from utils.gemini_pool.policy.waiting.tickets import Ticket

T = TypeVar("T")


class Promises(Generic[T]):
    """The tickets of one line by the time they are due."""

    __slots__ = ("_dirty", "_grants", "_order", "_slack")

    def __init__(self) -> None:
        # numbers are unique, so tickets are never compared
        self._order: list[tuple[float, int, Ticket[T]]] = []
        self._grants = 0
        self._slack = 0
        self._dirty = False

    def add(self, ticket: Ticket[T], places: int) -> bool:
        """Take a ticket in; ``places``: how many come free before it is due.

        Answers whether everybody due after it can still go in time.
        """
        ticket.by_grant = self._grants + places
        entry = (ticket.due_at, ticket.number, ticket)
        at = bisect_left(self._order, entry)
        mine = places - at - 1
        if at == len(self._order):
            self._slack = min(self._slack, mine) if at else mine
            self._order.append(entry)
            return True
        in_time = self._in_time()
        self._order.insert(at, entry)
        # everybody behind it is one later; where the scarcest stands before it, that is less than the truth
        self._slack, self._dirty = min(self._slack - 1, mine), True
        return not in_time or self._in_time()

    def __iter__(self) -> Iterator[Ticket[T]]:
        return (ticket for _, _, ticket in self._order)

    def remove(self, ticket: Ticket[T], *, served: bool) -> None:
        """Take a ticket out, because it was served or left."""
        at = self.place(ticket) - 1
        del self._order[at]
        if not served:
            self._dirty = True
            return
        self._grants += 1
        if at:
            self._slack -= 1

    def place(self, ticket: Ticket[T]) -> int:
        """How many are due no later than this ticket, itself included."""
        return 1 + bisect_left(self._order, (ticket.due_at, ticket.number, ticket))

    def most_due(self, now: float) -> Ticket[T] | None:
        """Give the ticket that must go next, None while others may go before."""
        if not self._order:
            return None
        due = self._order[0][2]
        return due if due.due_at <= now or not self._has_slack() else None

    def _has_slack(self) -> bool:
        return self._slack > 0 or (self._dirty and self._count() > 0)

    def _in_time(self) -> bool:
        return self._slack >= 0 or self._count() >= 0

    def _count(self) -> int:
        self._dirty = False
        self._slack = min(ticket.by_grant - self._grants - place for place, (_, _, ticket) in enumerate(self._order, 1))
        return self._slack
