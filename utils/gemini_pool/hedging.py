"""A second call beside one that takes long, where the operator wants that: both are billed.

``race`` carries one attempt of a request: when no first byte came after ``hedge_after_s``, the rules may begin another
call on another key; the first to begin answering wins. What always holds: at the end one call is left to be fed to the
request, the winner's, the last that failed, or the last under way when who asked has left; every other was cancelled,
closed and given back with what it had sent. Whether a second call may begin is ``policy/request.py``'s.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from utils.gemini_pool.policy import Call, Kind, Outcome, Policy, Request
from utils.gemini_pool.provider.wire import SentRequests

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Flight:
    """The call of a request that is to be fed to it in the end, and the HTTP requests it has sent."""

    call: Call
    sent: SentRequests


@dataclass(frozen=True, slots=True)
class Hands(Generic[T]):
    """What a race does: ``begin`` makes a call until its first byte or its failure, ``close`` what it has opened.

    ``failed`` says how a call failed that another may still answer, None for one that decides the race.
    """

    request: Request
    policy: Policy
    lock: threading.Lock
    begin: Callable[[Call, SentRequests], Coroutine[Any, Any, T]]
    failed: Callable[[T], Outcome | None]
    close: Callable[[T], Awaitable[None]]

    def second(self) -> Call | None:
        """Begin a second call by the rules; None where there is none to be had."""
        with self.lock:
            return self.request.hedge(self.policy.clock())

    def lose(self, flight: Flight, outcome: Outcome) -> None:
        """Give back a call that is not the one to be fed."""
        with self.lock:
            self.request.lose(flight.call.lease, outcome, self.policy.clock())


class _Racer(Generic[T]):
    """One call of a race."""

    __slots__ = ("flight", "task")

    def __init__(self, hands: Hands[T], flight: Flight) -> None:
        self.flight = flight
        self.task = asyncio.create_task(hands.begin(flight.call, flight.sent))


async def race(hands: Hands[T], flight: Flight) -> T:
    """Carry an attempt; ``flight`` names in the end the call that is to be fed to the request."""
    racers = [_Racer(hands, Flight(flight.call, flight.sent))]
    decided: _Racer[T] | None = None
    try:
        done, _ = await asyncio.wait({racers[0].task}, timeout=hands.policy.config.hedge_after_s)
        call = None if done else hands.second()
        if call is not None:
            racers.append(_Racer(hands, Flight(call, SentRequests())))
        decided = await _decided(hands, racers)
        return decided.task.result()
    finally:
        last = decided or racers[-1]
        flight.call, flight.sent = last.flight.call, last.flight.sent
        await _withdraw(hands, racers, last, decided=decided is not None)


async def _decided(hands: Hands[T], racers: list[_Racer[T]]) -> _Racer[T]:
    """Wait for the call that answers first, or the last that fails; those that fail before it are given back."""
    while True:
        await asyncio.wait({racer.task for racer in racers}, return_when=asyncio.FIRST_COMPLETED)
        for racer in [one for one in racers if one.task.done()]:
            failed = hands.failed(racer.task.result())
            if failed is None or len(racers) == 1:
                return racer
            racers.remove(racer)
            hands.lose(racer.flight, failed)


async def _withdraw(hands: Hands[T], racers: list[_Racer[T]], last: _Racer[T], *, decided: bool) -> None:
    """Cancel and give back every call but ``last``, which is cancelled too unless it has decided the race."""
    withdrawn = [racer for racer in racers if racer is not last or not decided]
    for racer in withdrawn:
        racer.task.cancel()
        if racer is not last:
            # before anything is awaited: who asked may leave once more meanwhile
            hands.lose(racer.flight, Outcome(Kind.CANCELLED, requests=racer.flight.sent.count))
    if withdrawn:
        await asyncio.wait({racer.task for racer in withdrawn})
    for racer in withdrawn:
        if not racer.task.cancelled() and racer.task.exception() is None:
            await hands.close(racer.task.result())
