"""Which turns this process answers, told to every other process that uses the same database.

``Leases`` holds turns by a name of its own and renews them all together, as long as there are any. What always holds: a
turn is held from before its question is acknowledged until its answer was shown; a process that dies lets go of its
turns by doing nothing, ``lease_s`` later; who finds that a turn is another's is told through ``lost``, and stops.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from utils.conversations.ports import Store
from utils.storage import Lease, StorageError

_log = logging.getLogger(__name__)

LEASE_S = 30.0


class Leases:
    """The turns that this process holds; ``wall`` gives unix seconds, ``lost`` is called with ids that are gone."""

    def __init__(
        self,
        store: Store,
        owner: str,
        *,
        wall: Callable[[], float],
        lost: Callable[[int], None],
        lease_s: float = LEASE_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self.owner = owner
        self._wall = wall
        self._lost = lost
        self._lease_s = lease_s
        self._sleep = sleep
        self._held: set[int] = set()
        self._renewing: asyncio.Task[None] | None = None

    def new(self) -> Lease:
        """Give a lease that begins now."""
        return Lease(self.owner, self._wall() + self._lease_s)

    def hold(self, turn_id: int) -> None:
        """Renew this turn's lease from now on."""
        self._held.add(turn_id)
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(), name="leases")

    def holds(self, turn_id: int) -> bool:
        """Tell whether this process holds a turn."""
        return turn_id in self._held

    def let_go(self, turn_id: int) -> None:
        """Renew this turn's lease no more."""
        self._held.discard(turn_id)
        if not self._held and self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None

    async def _renew(self) -> None:
        while self._held:
            await self._sleep(self._lease_s / 3)
            asked = frozenset(self._held)
            try:
                kept = await self._store.renew(sorted(asked), self.new())
            except StorageError as error:
                # whether somebody else has them will be seen when something is to be stored
                _log.warning("leases were not renewed: %s", error)
                continue
            for turn_id in (asked & self._held) - kept:
                self._held.discard(turn_id)
                self._lost(turn_id)
