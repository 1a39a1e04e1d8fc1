"""One lock per key, for as long as somebody wants it.

``KeyedLocks.hold(key)`` is an async context: those who hold the same key go one after another, in the
order they came. What always holds: a key that nobody holds or waits for takes no memory; a cancelled
waiter leaves no trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class KeyedLocks:
    """Locks by integer key; serves one event loop."""

    def __init__(self) -> None:
        self._locks: dict[int, asyncio.Lock] = {}
        self._users: dict[int, int] = {}

    def __len__(self) -> int:
        """Count the keys that are held or waited for."""
        return len(self._locks)

    def is_held(self, key: int) -> bool:
        """Tell whether somebody holds the key, or waits for it."""
        return key in self._locks

    @asynccontextmanager
    async def hold(self, key: int) -> AsyncIterator[None]:
        """Wait for the key's turn, and keep it."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]
