"""How fast all answers together may write into Discord.

Discord takes 50 requests a second from a bot, over all its channels (https://docs.discord.com/developers/topics/rate-limits
#global-rate-limit), and a hundred answers that are each edited once a second would be twice as many. ``Pace`` gives out
turns: ``turn`` waits for one, ``spare`` takes one only if nobody waits. What always holds: turns are given so far apart
that any second holds fewer than Discord takes, with room for what else the bot sends; who begins an answer comes
before who ends one, and both before a state in between, which can be left out; among equals the first to ask is the
first to go; who is cancelled while waiting takes no turn. Serves one event loop.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from enum import IntEnum
from typing import Final

#: Turns a second: Discord's 50 less a fifth, for commands' own messages and for requests that bunch up on their way.
PER_SECOND: Final = 40.0
_AT_ONCE: Final = 4


class Urgency(IntEnum):
    """What a turn is for; the smaller goes first."""

    FIRST = 0
    LAST = 1
    BETWEEN = 2


class Pace:
    """Turns at an even pace; ``at_once`` of them may be taken in one instant after a pause."""

    def __init__(self, per_second: float = PER_SECOND, *, at_once: int = _AT_ONCE) -> None:
        self._gap_s = 1.0 / per_second
        self._room_s = (at_once - 1) * self._gap_s
        #: When the turns given so far are paid for by the time that passed.
        self._paid_at = 0.0
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, urgency: Urgency) -> None:
        """Wait for a turn."""
        if self.spare():
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._numbers), mine))
        self._wind()
        await mine

    def spare(self) -> bool:
        """Take a turn that nobody waits for; False: there is none now."""
        self._forget_the_gone()
        now = asyncio.get_running_loop().time()
        if self._waiting or self._paid_at > now + self._room_s:
            return False
        self._pay(now)
        return True

    def _pay(self, now: float) -> None:
        self._paid_at = max(self._paid_at, now) + self._gap_s

    def _wind(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_at(self._paid_at - self._room_s, self._give)

    def _give(self) -> None:
        self._timer = None
        self._forget_the_gone()
        if self._waiting:
            heapq.heappop(self._waiting)[2].set_result(None)
            self._pay(asyncio.get_running_loop().time())
        self._wind()

    def _forget_the_gone(self) -> None:
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
