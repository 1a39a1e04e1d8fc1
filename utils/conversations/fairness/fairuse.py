"""Who may ask now: counted in memory, kept in the store.

``FairUse.admit`` counts a question or says why not and until when, ``spent`` counts what an answer cost, ``standing``
says what is left, ``slot`` lets one answer at a time be given to a person. What always holds: nothing is awaited
between looking and counting, so no two questions of one process get past one limit; a question is counted once, by
its id, and one that is refused costs nothing; what is counted is stored at once, in the background, so that nobody
waits for it, and is read at the start; where processes share a database, each learns of the others' questions
whenever it stores its own. When the store fails, counting goes on in memory, and what is not stored yet is stored
with what follows. What a person used today stays counted when their rows are deleted, here till a restart, in the
store under a name of the day (``Limits.alias``): deleting is no way round a limit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from utils.conversations.fairness.ledger import DAY_S, MINUTE_S, Ledger, day_of
from utils.conversations.fairness.prices import cost_micros
from utils.conversations.fairness.rules import MICROS, Denied, Rule, judge, rules_for
from utils.conversations.locks import KeyedLocks
from utils.settings import Settings
from utils.storage import Amounts, AmountsChange, GuildLimits, Limits, StorageError, Use, Whom

_log = logging.getLogger(__name__)

_REMEMBERED = 10_000
_FRESH_S = 60.0
#: What another process stored this long before may not have been seen yet; clocks differ.
_OVERLAP_S = 10.0
_NOTHING_CHOSEN = GuildLimits()


@dataclass(frozen=True, slots=True)
class OwnerLimits:
    """What the operator allows each person, each server, and everybody together; 0 and None: no limit."""

    user: Amounts = field(default_factory=Amounts)
    server: Amounts = field(default_factory=Amounts)
    total: Amounts = field(default_factory=Amounts)

    @classmethod
    def of_settings(cls, settings: Settings) -> OwnerLimits:
        """Take the limits from the configuration."""
        return cls(*(_amounts(settings, whose) for whose in ("user", "server", "total")))


class FairUse:
    """Counts and limits; serves one event loop. ``wall`` gives unix seconds, ``clock`` monotonic ones."""

    def __init__(
        self,
        store: Limits,
        owner: OwnerLimits | None = None,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._owner = owner or OwnerLimits()
        self._wall = wall
        self._clock = clock
        self._ledger: Ledger | None = None
        self._reading = asyncio.Lock()
        self._made: list[Use] = []
        self._taken_back: set[int] = set()
        self._exchanged_at = 0.0
        self._swept_day = 0
        self._saving: asyncio.Task[None] | None = None
        self._guilds: OrderedDict[int, tuple[GuildLimits, float]] = OrderedDict()
        self._changing = KeyedLocks()
        self._slots = KeyedLocks()

    async def prepare(self) -> None:
        """Read what was used today ahead of the first question; raises nothing."""
        try:
            await self._begun()
        except StorageError as error:
            _log.warning("what was used today is not read yet: %s", error)

    async def admit(
        self, use_id: int, user_id: int, guild_id: int | None, role_ids: Collection[int] = ()
    ) -> Denied | None:
        """Count a question, or say why it is not taken; ``use_id`` is Discord's id of what asks.

        :raises StorageError: what was used today, or what the server allows, cannot be read.
        """
        ledger = await self._begun()
        chosen = await self.of_guild(guild_id)
        if ledger.knows(use_id):
            return None
        denied = judge(self._rules(ledger, chosen, user_id, guild_id, role_ids))
        if denied is None:
            self._count(ledger, Use(use_id, user_id, guild_id, self._wall(), requests=1))
        return denied

    def give_back(self, use_id: int) -> None:
        """Count a question no more: it came to nothing through no fault of who asked."""
        if self._ledger is not None and self._ledger.take_back(use_id):
            self._taken_back.add(use_id)
            self._save()

    async def spent(
        self, *, user_id: int, guild_id: int | None, model: str, input_tokens: int, output_tokens: int
    ) -> None:
        """Count what an answer cost; raises nothing."""
        tokens = input_tokens + output_tokens
        if tokens <= 0:
            return
        micros = cost_micros(model, input_tokens=input_tokens, output_tokens=output_tokens)
        try:
            ledger = await self._begun()
        except StorageError as error:
            _log.warning("what an answer cost was not counted: %s", error)
            return
        use = Use(self._store.make_id(), user_id, guild_id, self._wall(), tokens=tokens, micros=micros)
        self._count(ledger, use)

    async def standing(self, user_id: int, guild_id: int | None, role_ids: Collection[int] = ()) -> list[Rule]:
        """Give all limits that hold for a person here, with what is used of them."""
        ledger = await self._begun()
        return self._rules(ledger, await self.of_guild(guild_id), user_id, guild_id, role_ids)

    async def of_guild(self, guild_id: int | None) -> GuildLimits:
        """Give what a server chose; changes by another process are seen after a minute."""
        if guild_id is None:
            return _NOTHING_CHOSEN
        known = self._known(guild_id)
        if known is not None:
            return known
        # many may ask at once; one reads for all, and never while the limits are changed
        async with self._changing.hold(guild_id):
            known = self._known(guild_id)
            if known is not None:
                return known
            limits = await self._store.of_guild(guild_id)
            self._guilds[guild_id] = (limits, self._clock() + _FRESH_S)
            self._guilds.move_to_end(guild_id)
            if len(self._guilds) > _REMEMBERED:
                self._guilds.popitem(last=False)
            return limits

    async def change(self, guild_id: int, whom: Whom, change: AmountsChange) -> None:
        """Store some of a server's limits."""
        async with self._changed(guild_id):
            await self._store.change(guild_id, whom, change)

    async def set_factor(self, guild_id: int, role_id: int, factor: float) -> None:
        """Let the holders of a role do so many times as much."""
        async with self._changed(guild_id):
            await self._store.set_factor(guild_id, role_id, factor)

    async def clear(self, guild_id: int, whom: Whom | None, *, role_id: int | None = None) -> None:
        """Take limits of a server back: those for ``whom``; None: a role's factor, or without a role all of them."""
        async with self._changed(guild_id):
            if whom is None:
                await self._store.clear_factors(guild_id, role_id)
            else:
                await self._store.clear(guild_id, whom)

    def forget(self) -> None:
        """Forget what is remembered of servers, after their rows were deleted."""
        self._guilds.clear()

    def is_served(self, user_id: int) -> bool:
        """Tell whether an answer is being given to a person now."""
        return self._slots.is_held(user_id)

    def slot(self, user_id: int) -> AbstractAsyncContextManager[None]:
        """Wait until no other answer is being given to a person, and let no other be."""
        return self._slots.hold(user_id)

    async def aclose(self) -> None:
        """Store what is not stored yet."""
        while self._saving is not None and not self._saving.done():
            await asyncio.wait({self._saving})
        if self._made or self._taken_back:
            await self._exchange()

    def _rules(
        self, ledger: Ledger, chosen: GuildLimits, user_id: int, guild_id: int | None, role_ids: Collection[int]
    ) -> list[Rule]:
        now = self._wall()
        return rules_for(
            user_id,
            guild_id,
            role_ids,
            members=self._owner.user,
            server=self._owner.server,
            total=self._owner.total,
            chosen=chosen,
            using=lambda subject: ledger.used(subject, now),
            alias=self._store.alias(user_id),
            now=now,
        )

    def _known(self, guild_id: int) -> GuildLimits | None:
        limits, until = self._guilds.get(guild_id, (None, 0.0))
        return limits if self._clock() < until else None

    @asynccontextmanager
    async def _changed(self, guild_id: int) -> AsyncIterator[None]:
        async with self._changing.hold(guild_id):
            try:
                yield
            finally:
                self._guilds.pop(guild_id, None)

    async def _begun(self) -> Ledger:
        """Give the ledger, read from the store the first time."""
        if self._ledger is None:
            async with self._reading:
                if self._ledger is None:
                    now = self._wall()
                    ledger = Ledger(now)
                    for use in await self._store.begin(_oldest(now)):
                        ledger.add(use)
                    self._ledger, self._exchanged_at, self._swept_day = ledger, now, day_of(now)
        return self._ledger

    def _count(self, ledger: Ledger, use: Use) -> None:
        ledger.add(use)
        self._made.append(use)
        self._save()

    def _save(self) -> None:
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._store_all(), name="fair use")

    async def _store_all(self) -> None:
        while (self._made or self._taken_back) and await self._exchange():
            pass

    async def _exchange(self) -> bool:
        """Store what is not stored, and learn what others stored; False: the store failed."""
        made, taken_back = self._made, self._taken_back
        self._made, self._taken_back = [], set()
        now = self._wall()
        try:
            others = await self._store.exchange(made, taken_back, since=self._exchanged_at - _OVERLAP_S)
            if day_of(now) != self._swept_day:
                await self._store.begin(_oldest(now))
                self._swept_day = day_of(now)
        except StorageError as error:
            self._made[:0] = made
            self._taken_back |= taken_back
            _log.warning("what was used is not stored yet: %s", error)
            return False
        self._exchanged_at = now
        for use in others:
            if self._ledger is not None and use.use_id not in self._taken_back:
                self._ledger.add(use)
        return True


def _amounts(settings: Settings, whose: str) -> Amounts:
    return Amounts(
        per_minute=getattr(settings, f"{whose}_requests_per_minute"),
        per_day=getattr(settings, f"{whose}_requests_per_day"),
        tokens=getattr(settings, f"{whose}_tokens_per_day"),
        micros=round(getattr(settings, f"{whose}_usd_per_day") * MICROS),
    )


def _oldest(now: float) -> float:
    """Give from when on uses still count: the beginning of the day, or the last minute over midnight."""
    return min(day_of(now) * float(DAY_S), now - MINUTE_S)
