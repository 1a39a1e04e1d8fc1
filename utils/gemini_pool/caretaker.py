"""What looks after the pool while nobody asks: alerts, and a free question to dead keys once a day.

``Caretaker.look`` does it once; between ``start`` and ``aclose`` a task does it every other second. What always holds:
the pool's lock is not held over an await; a dead key costs one listing of models in ``dead_probe_s``, which is not
billed; a key comes back only when the service accepted it, and an operator is told. What is due is decided by
``policy``.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

from utils.gemini_pool.alerts import Announcer
from utils.gemini_pool.policy import Policy
from utils.gemini_pool.policy.alerts import Watch, able
from utils.gemini_pool.policy.keys import Key
from utils.gemini_pool.policy.revival import Revivals

_log = logging.getLogger(__name__)
_EVERY_S = 2.0
_SHORTEST_S = 0.05

#: Asks the service with the key of this fingerprint; answers whether it accepts the key.
IsAccepted = Callable[[str], Awaitable[bool]]


class Caretaker:
    """Looks at the rules' state from time to time and does what is due.

    ``wake``: called after a key came back, so that whoever waits looks again.
    """

    def __init__(
        self,
        policy: Policy,
        lock: threading.Lock,
        announcer: Announcer,
        is_accepted: IsAccepted,
        wake: Callable[[], None],
    ) -> None:
        self._policy = policy
        self._lock = lock
        self._announcer = announcer
        self._is_accepted = is_accepted
        self._wake = wake
        self._watch = Watch(policy.config, policy.wall())
        self._revivals = Revivals(policy.config)
        config = policy.config
        self._every_s = max(_SHORTEST_S, min(_EVERY_S, config.dead_probe_s or _EVERY_S, config.alert_few_for_s))
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look in the running loop; a second time does nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="gemini-pool-caretaker")

    async def aclose(self) -> None:
        """Stop looking; an alert or a question under way is given up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001  # a mistake in one look must not end all later ones
                _log.error("the pool could not be looked after: %s", type(error).__name__)

    async def look(self) -> None:
        """Tell what is to be told, and ask the dead keys whose time has come."""
        policy = self._policy
        with self._lock:
            now = policy.clock()
            alerts = self._watch.look(policy.keys, able(policy.pools, now), now)
            due = self._revivals.due(policy.keys, now, policy.wall())
        await self._announcer.tell(alerts)
        for key in due:
            await self._ask(key)

    async def _ask(self, key: Key) -> None:
        if not await self._is_accepted(key.fingerprint):
            return
        with self._lock:
            revived = self._policy.revive(key.fingerprint)
        if revived:
            self._wake()
            await self._announcer.tell([self._watch.back(key)])
