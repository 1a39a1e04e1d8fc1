"""Tells the page that the keys changed, at most five times a second.

``KeyNotices.changed`` publishes a ``keys`` event at once if the last one is long enough ago, else once later. What
always holds: after the last change there is an event that shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from sandbox.events import EventBus
from sandbox.gemini.wire import Json

_INTERVAL_S: Final = 0.2


class KeyNotices:
    """Publishes the state of the keys; outside a running loop it publishes every change at once."""

    def __init__(self, bus: EventBus, read: Callable[[], list[Json]]) -> None:
        self._bus = bus
        self._read = read
        self._timer: asyncio.TimerHandle | None = None
        self._pending = False

    def changed(self) -> None:
        """Say that a count or a state changed."""
        if self._timer is not None:
            self._pending = True
            return
        self._publish()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._timer = loop.call_later(_INTERVAL_S, self._again)

    def close(self) -> None:
        """Publish what is pending and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending:
            self._publish()

    def _again(self) -> None:
        self._timer = None
        if self._pending:
            self.changed()

    def _publish(self) -> None:
        self._pending = False
        self._bus.publish("keys", {"keys": self._read()})
