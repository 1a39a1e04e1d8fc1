"""The place of one request in the line of a model, from joining until it is let go or leaves.

``Place.no_room`` says when a request had better not wait, ``look`` when its turn is likely to come. What always holds:
who is taken in could be served in time if nothing closed, whoever else comes: overtaken by others' first questions, it
goes before them once it is due; one user alone never takes all the room there is (the more it has waiting, the more
must be free, https://doi.org/10.1109/90.664262); a place is given up exactly once, by ``let_go`` or ``leave``. The line
itself is ``line``'s, the pace ``pacing``'s.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic

from utils.gemini_pool.policy.latency import Size
from utils.gemini_pool.policy.lender import Lender
from utils.gemini_pool.policy.steps import Wait
from utils.gemini_pool.policy.waiting.room import W
from utils.gemini_pool.policy.waiting.slots import Obstacle, Slot
from utils.gemini_pool.policy.waiting.tickets import Ticket

#: A slot that is free but not for this request (a probe it has no time for) is looked at again after this long.
_SHORTEST_WAIT_S = 0.05
#: A user who has so many waiting is taken in only if one more place is free than it needs, with twice as many two.
_LEAVES_ONE_IN = 8


class Place(Generic[W]):
    """A place.

    ``latest_at``: when a call would no longer be worth beginning; ``due_at``: when an answer usually takes what is
    left (both in clock seconds). ``obstacle``: what was in the way at the last look, whether worth telling or not.
    """

    __slots__ = ("_latest_at", "_lender", "_model", "_room", "_size", "_ticket", "_told", "obstacle")

    def __init__(
        self,
        lender: Lender[W],
        holder: W,
        *,
        model: str,
        user: Hashable,
        size: Size,
        now: float,
        due_at: float,
        latest_at: float,
    ) -> None:
        self._lender = lender
        self._room = lender.room(model)
        self._model = model
        self._size = size
        self._latest_at = latest_at
        places = lender.places_until(model, due_at, now)
        self._ticket: Ticket[W] = self._room.line.join(holder, user, now, due_at=due_at, places=places)
        self._told: Wait | None = None
        self.obstacle = Obstacle.QUOTA

    def no_room(self) -> Slot | None:
        """Just after joining: give the slot that comes too late if the request had better not wait, else None.

        Everybody due before it is taken to go before it, and a place is left free for every few that its user has
        waiting already, for others who have not asked yet.
        """
        line, ticket = self._room.line, self._ticket
        others = (line.of_user(ticket.user) - 1) // _LEAVES_ONE_IN if ticket.user is not None else 0
        slot = self._slot(line.promises.place(ticket) + others, ticket.joined_at)
        if slot.at is None or slot.at > ticket.due_at:
            return slot
        if not ticket.harmless:
            return self._slot(len(line), ticket.joined_at)
        if len(line) <= self._lender.config.max_waiting:
            return None
        last = self._slot(len(line), ticket.joined_at).at
        at = None if last is None else self._room.paced_at(len(line), last, ticket.joined_at, self._usual_s())
        return None if at is not None and at <= self._latest_at else Slot(at, Obstacle.LINE_FULL, guess=True)

    def look(self, now: float) -> Wait | Slot:
        """Say how long to wait; a ``Slot`` that comes too late, or never, ends the waiting."""
        room, ticket = self._room, self._ticket
        place = room.line.place(ticket)
        soonest = self._soonest(now)
        self.obstacle = soonest.obstacle
        if soonest.at is None or soonest.at > self._latest_at:
            return soonest
        if soonest.obstacle is not Obstacle.QUOTA:
            room.pace.start(now)
        at = self._paced_at(self._slot(place, now).at or soonest.at, place, now)
        until = min(at, self._latest_at)
        told_at = ticket.joined_at + self._lender.config.model_told_after_s
        hushed = soonest.obstacle is Obstacle.OVERLOADED and now < told_at
        until = max(min(until, told_at) if hushed else until, now + _SHORTEST_WAIT_S)
        self._told = Wait(until, None if hushed else soonest.obstacle, place, at - now)
        return self._told

    def is_next(self, now: float) -> bool:
        """Whether it is this one's turn, as far as those who wait are concerned."""
        return self._room.line.next(now) is self._ticket and self._room.pace.allows(now)

    def is_hopeless(self, now: float) -> bool:
        """Whether its turn would come too late, as things are now."""
        at = self._soonest(now).at
        return at is None or at > self._latest_at

    def is_misled(self, now: float) -> bool:
        """Whether it was told to look again later than it should, now that its turn is next."""
        told = self._told
        if told is None or told.place != 1:
            return True
        if not self._room.pace.on:
            return False
        slot = self._slot(1, now)
        return slot.at is None or told.until > max(self._paced_at(slot.at, 1, now), now + _SHORTEST_WAIT_S)

    def let_go(self, now: float, *, paced: bool) -> None:
        """Be served; ``paced``: it counts for the pace, as every call but a probe does."""
        self._room.let_go(self._ticket, now, self._usual_s(), paced=paced)

    def leave(self) -> None:
        """Go unserved."""
        self._room.leave(self._ticket)

    def _soonest(self, now: float) -> Slot:
        """Give the slot that is this one's by turn, or because it is due, whichever comes first."""
        line, ticket = self._room.line, self._ticket
        return self._slot(min(line.place(ticket), line.promises.place(ticket)), now)

    def _slot(self, place: int, now: float) -> Slot:
        return self._lender.slot(self._model, place, now)

    def _paced_at(self, at: float, place: int, now: float) -> float:
        return max(at, self._room.paced_at(place, now, now, self._usual_s()))

    def _usual_s(self) -> float:
        return self._lender.usual(self._model, self._size).p50
