"""What changes in the sandbox, as a stream of events for the page and for tests.

``EventBus.publish`` is synchronous and never blocks; every subscriber has a bounded queue of its own. What always
holds: a slow reader loses its oldest events and is told so by a ``lost`` event, and holds nobody up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_QUEUE_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """One change: ``kind`` such as ``message_create`` or ``keys``; ``data`` is JSON-ready."""

    kind: str
    data: dict[str, Any]


class EventBus:
    """Hands every published event to every subscriber of this process."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event]] = set()

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        """Tell all subscribers; drops a subscriber's oldest event when its queue is full."""
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
                queue.get_nowait()
                queue.put_nowait(Event("lost", {}))
            queue.put_nowait(Event(kind, data))

    @contextmanager
    def subscribe(self) -> Iterator[AsyncIterator[Event]]:
        """Open a subscription; events published from here on are iterated, without end."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_QUEUE_LENGTH)
        self._queues.add(queue)
        try:
            yield _drain(queue)
        finally:
            self._queues.discard(queue)


async def _drain(queue: asyncio.Queue[Event]) -> AsyncIterator[Event]:
    while True:
        yield await queue.get()
