"""Who waits for one model, and in which order: round-robin over users, first come first within a user.

``Line`` keeps ``Ticket``s in one sorted order of (round, number): a user's next ticket stands one round behind the one
before it, and a newcomer one round behind the one served last, so that many questions of one user never push others
back, and nobody is overtaken for ever (self-clocked fair queueing, https://ieeexplore.ieee.org/document/337677). Who
would come too late by turn alone goes first (``promises``). What always holds: among those granted by turn, nobody
else keeps waiting between two grants of one user who came before the second of them; every ticket ends by exactly one
``grant`` or ``leave``; no operation costs more than a binary search and a move of memory. How fast the line may go is
``pacing``'s, who is taken in ``places``'s.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from utils.gemini_pool.policy.waiting.promises import Promises
from utils.gemini_pool.policy.waiting.tickets import Ticket

T = TypeVar("T")


class _Queue(Generic[T]):
    """The tickets of one user by number, and the place in the order that each of them has."""

    __slots__ = ("places", "tickets")

    def __init__(self) -> None:
        self.tickets: list[Ticket[T]] = []
        #: As many as tickets, one round apart. Only the first is sure to bear its ticket's own number.
        self.places: list[tuple[int, int, _Queue[T]]] = []


class Line(Generic[T]):
    """The line of one model. Requests that name no user share one turn, that of the user None.

    ``waiting``: how many wait, its length; every request asks for it, and a number is told faster.
    """

    __slots__ = ("_numbers", "_order", "_queues", "_round", "promises", "waiting")

    def __init__(self) -> None:
        self._queues: dict[Hashable, _Queue[T]] = {}
        # (round, number) is unique: rounds differ within a user, numbers between users
        self._order: list[tuple[int, int, _Queue[T]]] = []
        self.promises: Promises[T] = Promises()
        self._round = 0
        self._numbers = 0
        self.waiting = 0

    def __len__(self) -> int:
        return self.waiting

    def join(self, holder: T, user: Hashable, now: float, *, due_at: float, places: int) -> Ticket[T]:
        """Take somebody in, behind those who came before; ``places``: how many come free until ``due_at``."""
        self._numbers += 1
        ticket = Ticket(holder, user, self._numbers, now, due_at)
        queue = self._queues.get(user)
        if queue is None:
            queue = self._queues[user] = _Queue()
        behind = queue.places[-1][0] if queue.places else self._round
        place = (behind + 1, ticket.number, queue)
        queue.tickets.append(ticket)
        queue.places.append(place)
        insort(self._order, place)
        self.waiting += 1
        ticket.harmless = self.promises.add(ticket, places)
        return ticket

    def leave(self, ticket: Ticket[T]) -> None:
        """Let somebody go unserved: the user's later tickets move up. A second time, or after a grant: nothing."""
        if ticket.waiting:
            self._remove(ticket, served=False)

    def grant(self, ticket: Ticket[T]) -> None:
        """Serve somebody who waits, whether first in the line or not; raises ``ValueError`` for anybody else."""
        if not ticket.waiting:
            raise ValueError("the ticket is not waiting")
        self._round = max(self._round, self._order[0][0])
        self._remove(ticket, served=True)
        ticket.granted = True

    def place(self, ticket: Ticket[T]) -> int:
        """How many grants until this ticket's, itself included (1 is next); raises ``ValueError`` if not waiting."""
        if not ticket.waiting:
            raise ValueError("the ticket is not waiting")
        queue = self._queues[ticket.user]
        return 1 + bisect_left(self._order, queue.places[_index(queue, ticket)])

    def of_user(self, user: Hashable) -> int:
        """How many tickets of a user wait."""
        queue = self._queues.get(user)
        return len(queue.tickets) if queue is not None else 0

    def first(self) -> Ticket[T] | None:
        """Give the first by turn."""
        return self._order[0][2].tickets[0] if self._order else None

    def next(self, now: float) -> Ticket[T] | None:
        """Give who is to be granted next: who would otherwise come too late, else the first by turn."""
        return self.promises.most_due(now) or self.first()

    def in_order(self) -> Iterator[Ticket[T]]:
        """Give everybody by turn; the line must not change meanwhile."""
        for round_, _, queue in self._order:
            yield queue.tickets[round_ - queue.places[0][0]]

    def _remove(self, ticket: Ticket[T], *, served: bool) -> None:
        """Take a ticket out: the served user's first place is used up, the place of one who left is the user's last."""
        ticket.waiting = False
        self.waiting -= 1
        self.promises.remove(ticket, served=served)
        queue = self._queues[ticket.user]
        del queue.tickets[_index(queue, ticket)]
        self._drop(queue.places.pop(0 if served else -1))
        if not queue.tickets:
            del self._queues[ticket.user]
        elif queue.places[0][1] != queue.tickets[0].number:
            # who moves up must not stand before others who came earlier
            self._drop(queue.places[0])
            queue.places[0] = (queue.places[0][0], queue.tickets[0].number, queue)
            insort(self._order, queue.places[0])

    def _drop(self, place: tuple[int, int, _Queue[T]]) -> None:
        del self._order[bisect_left(self._order, place)]


def _index(queue: _Queue[T], ticket: Ticket[T]) -> int:
    return bisect_left(queue.tickets, ticket.number, key=lambda one: one.number)
