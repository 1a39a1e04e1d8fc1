"""How fast all answers together may write into Discord.

Discord takes 50 requests a second from a bot, over all its channels, and is seen to take an edit a second in one
(https://docs.discord.com/developers/topics/rate-limits#global-rate-limit); a hundred answers that are each edited once
a second would be twice as many. ``Pace`` gives out turns: ``turn`` waits for one, ``spare`` takes one only if nobody
waits. What always holds: turns are given so far apart that any second holds fewer than Discord takes, with room for
what else the bot sends; states in between that are shown in one channel lie a second apart, whichever answers they
are of; who begins an answer comes before who ends one, and both before a state in between, which can be left out;
among equals the first to ask is the first to go; who is cancelled takes no turn of all. Serves one event loop.
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
#: Seconds between two states in between in one channel: Discord is seen to take five edits in five seconds.
_CHANNEL_GAP_S: Final = 1.1
_MOST_CHANNELS: Final = 1000
#: A timer of the loop may be early by as much as its clock resolves.
_CLOCK_S: Final = 0.002


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
        self._channels: dict[int, _Channel] = {}

    async def turn(self, urgency: Urgency, channel_id: int | None = None) -> None:
        """Wait for a turn, to write in a channel."""
        if channel_id is not None:
            channel = self._channel(channel_id).between
            if urgency is Urgency.BETWEEN:
                await channel.turn(urgency)
            else:
                channel.push()
        if self.spare():
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._numbers), mine))
        self._wind()
        await mine

    def alone(self, channel_id: int) -> asyncio.Lock:
        """Give what is held while an edit is on its way in a channel.

        discord.py learns from each answer how many edits are left, and where answers overtake each other it believes
        in more than there are.
        """
        return self._channel(channel_id).writing

    def push(self) -> None:
        """Take a turn before its time; those after it come later by as much."""
        self._pay(asyncio.get_running_loop().time())

    @property
    def idle(self) -> bool:
        """Whether turns could be taken as if none had been taken before."""
        return not self._waiting and self._paid_at <= asyncio.get_running_loop().time()

    def spare(self) -> bool:
        """Take a turn that nobody waits for; False: there is none now."""
        self._forget_the_gone()
        now = asyncio.get_running_loop().time()
        if self._waiting or self._paid_at > now + self._room_s:
            return False
        self._pay(now)
        return True

    def _channel(self, channel_id: int) -> _Channel:
        if len(self._channels) > _MOST_CHANNELS:
            self._channels = {number: one for number, one in self._channels.items() if not one.idle}
        if channel_id not in self._channels:
            self._channels[channel_id] = _Channel()
        return self._channels[channel_id]

    def _pay(self, now: float) -> None:
        self._paid_at = max(self._paid_at, now) + self._gap_s

    def _wind(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_at(self._paid_at - self._room_s, self._give)

    def _give(self) -> None:
        self._timer = None
        self._forget_the_gone()
        now = asyncio.get_running_loop().time()
        # a turn that was taken before its time makes those who wait wait longer than the timer knew
        if self._waiting and self._paid_at <= now + self._room_s + _CLOCK_S:
            heapq.heappop(self._waiting)[2].set_result(None)
            self._pay(now)
        self._wind()

    def _forget_the_gone(self) -> None:
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)


class _Channel:
    """What the answers in one channel share."""

    def __init__(self) -> None:
        self.between = Pace(1.0 / _CHANNEL_GAP_S, at_once=1)
        self.writing = asyncio.Lock()

    @property
    def idle(self) -> bool:
        return self.between.idle and not self.writing.locked()
