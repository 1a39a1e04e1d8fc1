"""Where the requests for one model wait, and what they share while they do.

A ``Room`` holds the ``line``, the ``budget`` for further attempts, the usual rate of ``arrivals``, the ``pace`` at
which the line is let go after a closure, and the ``slots`` that estimates are read from. ``take_turns`` lets go whose
turn has come. What always holds: whoever is let go has begun a call, or has no time left for one; a probe is ridden by
the first who has time enough for a whole answer; who stands next knows when to look again. The room outlives its pool,
which an operator may have made anew while people wait. What a request does with its turn is ``policy/request.py``'s.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from utils.gemini_pool.policy.budget import RetryBudget
from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.pools import ModelPool
from utils.gemini_pool.policy.waiting.line import Line
from utils.gemini_pool.policy.waiting.pacing import Arrivals, Pace
from utils.gemini_pool.policy.waiting.slots import Slots
from utils.gemini_pool.policy.waiting.tickets import Ticket


class Waiter(Protocol):
    """What the line needs of one who waits."""

    def may_probe(self, now: float) -> bool:
        """Whether there is time enough for a whole answer: a probe that is cut proves nothing."""

    def take_turn(self, now: float) -> bool:
        """Begin a call, or end because there is no time left for one; False when nothing can serve this one now."""

    def is_misled(self, now: float) -> bool:
        """Whether it was told to look again later than it should, now that its turn is next."""

    def is_hopeless(self, now: float) -> bool:
        """Whether its turn would come too late, as things are now."""


W = TypeVar("W", bound=Waiter)


class Room(Generic[W]):
    """The waiting room of one model."""

    __slots__ = ("_shaken", "arrivals", "budget", "line", "pace", "slots")

    def __init__(self, config: PoolConfig, now: float) -> None:
        self.line: Line[W] = Line()
        self.budget = RetryBudget(config)
        self.arrivals = Arrivals(config.arrival_half_life_s, now)
        self.pace = Pace(config.release_factor)
        self.slots = Slots()
        self._shaken = False

    def shake(self) -> None:
        """Know that something was closed: what those who wait were told may be wrong."""
        self._shaken = True
        self.slots.forget()

    def leave(self, ticket: Ticket[W]) -> None:
        """Give a place in the line up."""
        self.line.leave(ticket)
        if not self.line:
            self.pace.stop()

    def let_go(self, ticket: Ticket[W], now: float, usual_s: float, *, paced: bool) -> None:
        """Serve one who waits; ``paced``: it counts for the pace, as every call but a probe does."""
        if paced and self.pace.on:
            self.pace.went(now, self.arrivals.per_s(now), usual_s)
        self.line.grant(ticket)
        self.slots.take()
        if not self.line:
            self.pace.stop()

    def paced_at(self, place: int, opens_at: float, now: float, usual_s: float) -> float:
        """When the pace lets the one at this place go if it begins at ``opens_at`` (the clock's seconds)."""
        return self.pace.at(place, opens_at, self.arrivals.per_s(now), usual_s)

    def take_turns(self, pool: ModelPool, now: float) -> list[W]:
        """Let go whose turn has come; answers whom to step.

        These are they, who stands next if it must be told anew when to look again, and those who wait in vain since
        something was closed. The single probes of an overloaded model know no pace.
        """
        gone: list[W] = []
        while (ticket := self.line.next(now)) is not None and (pool.breaker.is_open or self.pace.allows(now)):
            waiter = ticket.holder
            if not waiter.take_turn(now):
                rider = self._rider(now) if pool.probe_due(now) and not waiter.may_probe(now) else None
                if rider is None or not rider.take_turn(now):
                    break
                waiter = rider
            gone.append(waiter)
        first = self.line.first()
        if first is not None and (self._shaken or first.holder.is_misled(now)):
            gone.append(first.holder)
        if self._shaken:
            self._shaken = False
            vain = (ticket for ticket in self.line.promises if ticket is not first and ticket.holder.is_hopeless(now))
            gone += [ticket.holder for ticket in vain]
        return gone

    def _rider(self, now: float) -> W | None:
        """Give the first in the line who has time enough to find something out."""
        return next((one.holder for one in self.line.in_order() if one.holder.may_probe(now)), None)
