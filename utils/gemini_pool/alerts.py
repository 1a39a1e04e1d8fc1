"""Carrying alerts to people: a line in the log, a webhook, and whoever else wants to know.

``Announcer.tell`` takes what ``policy/alerts`` found due. What always holds: keys are named by label and nothing secret
is told; what fails on the way, a webhook or a listener, is logged by its type, the same failure of the webhook once
until a message gets through again, and never reaches the pool.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from utils.gemini_pool.policy.alerts import Alert, AlertKind

_log = logging.getLogger(__name__)
_GOOD_NEWS = frozenset({AlertKind.KEY_BACK, AlertKind.ENOUGH_KEYS})

#: Posts a text; answers None, or in a word why it did not arrive.
Post = Callable[[str], Awaitable[str | None]]


class Announcer:
    """Tells alerts.

    ``post``: carries a text to a webhook, None without one. ``on_alert``: called with every alert, in the loop that
    looks after the pool; set by whoever composes the process.
    """

    def __init__(self, post: Post | None = None) -> None:
        self._post = post
        self._failed: str | None = None
        self.on_alert: Callable[[Alert], None] | None = None

    async def tell(self, alerts: Sequence[Alert]) -> None:
        """Tell what is due, all of it in one message."""
        if not alerts:
            return
        for alert in alerts:
            # a death was logged when it happened, also where nobody looks after the pool
            if alert.kind is not AlertKind.KEY_DEAD:
                _log.log(logging.INFO if alert.kind in _GOOD_NEWS else logging.ERROR, "%s", alert.text)
            self._call(alert)
        if self._post is not None:
            self._note(await self._post("\n".join(alert.text for alert in alerts)))

    def _call(self, alert: Alert) -> None:
        if self.on_alert is None:
            return
        try:
            self.on_alert(alert)
        except Exception as error:  # noqa: BLE001  # whatever a listener raises is its own, and others must still hear
            # by its type only: its words may hold what the listener knows
            _log.error("an alert could not be passed on: %s", type(error).__name__)

    def _note(self, failed: str | None) -> None:
        if failed is not None and failed != self._failed:
            _log.warning("alerts do not reach GEMINI_POOL_ALERT_WEBHOOK (%s): mend the address or leave it out", failed)
        self._failed = failed
